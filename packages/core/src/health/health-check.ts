import type { Backend } from '../backend.ts'
import type { BackendView } from '../member.ts'
import type { Pool } from '../pool.ts'
import type { HealthSettings } from './health-options.ts'

/**
 * Asks a backend once. Settles when it is well, and fails with what is wrong, for the log.
 * @param signal ends it: its time is over, or nobody wants to know any more
 */
export type Probe = (backend: Backend, signal: AbortSignal) => Promise<void>

export interface HealthChecks {
  /** No check is made or finished from here on. What was found stays. */
  close(): void
}

/** Backends do not all need to be asked at one moment. */
const JITTER = 0.1

/**
 * Asks the members of `pool` again and again whether they are well, and tells it (HAProxy `check`, nginx
 * `health_check`). Each has one probe at a time. Whoever joins is asked from then on, and who leaves is not.
 * @param random uniform in [0, 1)
 */
export function startHealthChecks(
  pool: Pool,
  settings: HealthSettings,
  probe: Probe,
  random: () => number = Math.random,
): HealthChecks {
  const checks = new Map<Backend, HealthCheck>()

  function follow(): void {
    const members = new Set(pool.backends.map(view => view.backend))
    for (const [backend, check] of checks) {
      if (!members.has(backend)) {
        check.close()
        checks.delete(backend)
      }
    }
    for (const view of pool.backends) {
      if (!checks.has(view.backend))
        checks.set(view.backend, new HealthCheck(pool, view, settings, probe, random))
    }
  }

  follow()
  const leave = pool.watch(follow)
  return {
    close() {
      leave()
      for (const check of checks.values()) check.close()
      checks.clear()
    },
  }
}

/** The checks of one backend. */
class HealthCheck {
  readonly #pool: Pool
  readonly #backend: Backend
  readonly #settings: HealthSettings
  readonly #probe: Probe
  readonly #random: () => number
  #isUp: boolean
  /** Nothing is known of it yet: the first success is enough. */
  #isNew: boolean
  /** Results in a row that speak against what it is. */
  #against = 0
  #timer: NodeJS.Timeout | undefined
  #probing: AbortController | undefined

  constructor(
    pool: Pool,
    { backend }: BackendView,
    settings: HealthSettings,
    probe: Probe,
    random: () => number,
  ) {
    this.#pool = pool
    this.#backend = backend
    this.#settings = settings
    this.#probe = probe
    this.#random = random
    this.#isUp = settings.isUpAtFirst
    this.#isNew = !settings.isUpAtFirst
    if (!this.#isUp) pool.setHealthy(backend.id, false, 'not checked yet')
    this.#schedule(this.#isUp ? random() * settings.intervalMs : 0)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#probing?.abort()
    this.#probing = undefined
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#check(), delayMs).unref()
  }

  async #check(): Promise<void> {
    const probing = new AbortController()
    this.#probing = probing
    const startedMs = performance.now()
    const problem = await this.#ask(probing)
    if (this.#probing !== probing) return
    this.#probing = undefined
    const jitter = 1 + JITTER * (2 * this.#random() - 1)
    this.#schedule(Math.max(0, this.#settings.intervalMs * jitter - (performance.now() - startedMs)))
    this.#note(problem)
  }

  /** What is wrong, if anything is. A probe that does not settle is left behind. */
  async #ask(probing: AbortController): Promise<string | undefined> {
    const { timeoutMs } = this.#settings
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs} ms`))
      probing.abort()
    }, timeoutMs).unref()
    try {
      await Promise.race([this.#probe(this.#backend, probing.signal), late])
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** @param problem undefined: it is well */
  #note(problem: string | undefined): void {
    const isWell = problem === undefined
    if (isWell === this.#isUp) {
      this.#against = 0
      return
    }
    this.#against += 1
    const { fall, rise } = this.#settings
    if (this.#against < (this.#isUp ? fall : this.#isNew ? 1 : rise)) return
    this.#isUp = isWell
    this.#isNew = false
    this.#against = 0
    this.#pool.setHealthy(this.#backend.id, isWell, problem)
  }
}
