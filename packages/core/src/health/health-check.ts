import type { Backend } from '../backend.ts'
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

/** After an outage of all, how long the first that is back waits for the others. */
const ROLL_CALL_MS = 250

/**
 * Asks the members of `pool` again and again whether they are well, and tells it (HAProxy `check`, nginx
 * `health_check`). Each has one probe at a time. Whoever joins is asked from then on; who leaves, or is in
 * maintenance, is not.
 *
 * When all were down, and one is proven up, the others are asked at once, and those who answer are up together with it:
 * their sessions would move to the first otherwise, in the moments until each was proven for itself.
 * @param random uniform in [0, 1)
 */
export function startHealthChecks(
  pool: Pool,
  settings: HealthSettings,
  probe: Probe,
  random: () => number = Math.random,
): HealthChecks {
  const checks = new Map<Backend, HealthCheck>()
  /** Those who have answered the roll call. */
  let present: Set<HealthCheck> | undefined

  /** Events are made on the way, and whoever hears one may change the pool: what is true is asked for at each step. */
  function follow(): void {
    for (const [backend, check] of checks) {
      if (isServing(backend)) continue
      check.close()
      checks.delete(backend)
      // After a deploy perhaps, it comes back as new.
      if (pool.find(backend.id)?.backend === backend) forget(backend)
    }
    for (const { backend } of pool.backends) {
      if (checks.has(backend) || !isServing(backend)) continue
      checks.set(backend, newCheck(backend))
      forget(backend)
    }
  }

  /** Those of whom something is known from checks before these go on as they are. */
  function begin(): void {
    for (const { backend, checked } of pool.backends) {
      if (checked !== undefined && isServing(backend)) checks.set(backend, newCheck(backend, checked))
    }
    follow()
  }

  /** Whether anybody wants to know: who is in maintenance serves nobody. */
  function isServing(backend: Backend): boolean {
    const view = pool.find(backend.id)
    return view?.backend === backend && view.state !== 'maint'
  }

  function forget({ id }: Backend): void {
    pool.setHealthy(id, settings.isUpAtFirst, 'not checked yet')
  }

  function newCheck(backend: Backend, known?: boolean): HealthCheck {
    const check: HealthCheck = new HealthCheck(settings, random, known, {
      probe: async signal => probe(backend, signal),
      fallen: problem => pool.setHealthy(backend.id, false, problem),
      risen() {
        pool.setHealthy(backend.id, true)
      },
      proven() {
        if (present !== undefined) present.add(check)
        // Whoever is healthy and takes nobody, in weight 0 say, has not got the sessions meanwhile.
        else if (pool.candidates.length > 0) check.rise()
        else void callRoll(check)
      },
    })
    return check
  }

  async function callRoll(first: HealthCheck): Promise<void> {
    const answered = new Set([first])
    present = answered
    const calls = [...checks.values()].map(async check => {
      if (check !== first && (await check.isWellNow())) answered.add(check)
    })
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(resolve, ROLL_CALL_MS, undefined).unref()
    await Promise.race([Promise.all(calls), late])
    clearTimeout(timer)
    present = undefined
    for (const check of answered) check.rise()
  }

  const leave = pool.watch(follow)
  begin()
  return {
    close() {
      leave()
      for (const check of checks.values()) check.close()
      checks.clear()
    },
  }
}

/** What a check asks, and whom it tells. */
interface Checked {
  probe(signal: AbortSignal): Promise<void>
  /** It was up, and is down. */
  fallen(problem: string | undefined): void
  /** It was down, and has answered as often as it must: `rise` is due. */
  proven(): void
  risen(): void
}

/** The checks of one backend. */
class HealthCheck {
  readonly #settings: HealthSettings
  readonly #random: () => number
  readonly #checked: Checked
  #isUp: boolean
  /** Nothing is known of it yet: the first success is enough. */
  #isNew: boolean
  /** Results in a row that speak against what it is. */
  #against = 0
  #timer: NodeJS.Timeout | undefined
  #probing:
    | { readonly controller: AbortController; readonly problem: Promise<string | undefined> }
    | undefined
  #isClosed = false

  /** @param known whether it is up, where that is known */
  constructor(settings: HealthSettings, random: () => number, known: boolean | undefined, checked: Checked) {
    this.#settings = settings
    this.#random = random
    this.#checked = checked
    this.#isUp = known ?? settings.isUpAtFirst
    this.#isNew = known === undefined && !settings.isUpAtFirst
    this.#schedule(this.#isUp ? random() * settings.intervalMs : 0)
  }

  /** Whether it is well by the probe that is under way, or by one that is made at once. */
  async isWellNow(): Promise<boolean> {
    if (this.#probing === undefined) {
      clearTimeout(this.#timer)
      void this.#check()
    }
    const probing = this.#probing
    return probing !== undefined && (await probing.problem) === undefined && !this.#isClosed
  }

  /** It is up, unless it has failed since it was proven. */
  rise(): void {
    if (this.#isUp || this.#isClosed || this.#against === 0) return
    this.#become(true)
    this.#checked.risen()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#probing?.controller.abort()
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#check(), delayMs).unref()
  }

  async #check(): Promise<void> {
    const controller = new AbortController()
    const startedMs = performance.now()
    this.#probing = { controller, problem: this.#ask(controller) }
    const problem = await this.#probing.problem
    this.#probing = undefined
    if (this.#isClosed) return
    const jitter = 1 + JITTER * (2 * this.#random() - 1)
    this.#schedule(Math.max(0, this.#settings.intervalMs * jitter - (performance.now() - startedMs)))
    this.#note(problem)
  }

  /** What is wrong, if anything is. A probe that does not settle is left behind. */
  async #ask(controller: AbortController): Promise<string | undefined> {
    const { timeoutMs } = this.#settings
    const { promise: late, reject } = Promise.withResolvers<never>()
    const dueMs = performance.now() + timeoutMs
    function expire(): void {
      reject(new Error(`no answer within ${timeoutMs} ms`))
      controller.abort()
    }
    let timer = setTimeout(() => {
      // While this process stood still, nobody's answer was read: it would find all backends down at once.
      const stoodMs = Math.min(performance.now() - dueMs, timeoutMs)
      if (stoodMs > 0) timer = setTimeout(expire, stoodMs).unref()
      else expire()
    }, timeoutMs).unref()
    try {
      await Promise.race([this.#checked.probe(controller.signal), late])
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
    this.#against = isWell === this.#isUp ? 0 : this.#against + 1
    const { fall, rise } = this.#settings
    if (this.#isUp) {
      if (this.#against < fall) return
      this.#become(false)
      this.#checked.fallen(problem)
    } else if (this.#against >= (this.#isNew ? 1 : rise)) {
      this.#checked.proven()
    }
  }

  #become(isUp: boolean): void {
    this.#isUp = isUp
    this.#isNew = false
    this.#against = 0
  }
}
