import type { Backend } from '../pool/backend.ts'
import type { CheckedState } from '../pool/check-duty.ts'
import type { Pool } from '../pool/pool.ts'
import { HealthCheck } from './health-check.ts'
import type { HealthSettings } from './health-options.ts'

/**
 * Probes a backend once. Resolves when it is healthy, and rejects with the reason, for the log, when it is not.
 * With the setting `selfDrain` it resolves with `drain` for a backend that says so, and with `not-found` for the status
 * 404, by which one that is up begins to drain. (HAProxy `http-check disable-on-404`)
 * @param signal aborts the probe: at the timeout, or when its result is no longer needed
 */
export type Probe = (backend: Backend, signal: AbortSignal) => Promise<ProbeResult>

export type ProbeResult = undefined | void | 'drain' | 'not-found'

export interface HealthChecks {
  /** Starts and finishes no check from here on. The last results stay. */
  close(): void
}

/** After an outage of all, how long the first that is back waits for the others. */
const ROLL_CALL_MS = 250
/** First checks that are made at one moment, and checks of a roll call: a thousand would starve the gateway. */
const MAX_AT_ONCE = 32
/** Between first checks, once so many were made; less where the interval would not do for all. */
const FIRST_GAP_MS = 10

/**
 * Checks the members of `pool` again and again and reports their health to it (HAProxy `check`, nginx
 * `health_check`). Each member has at most one probe at a time. A backend that joins is checked from then on; one that
 * has left, or is in maintenance, is not.
 *
 * When all backends were down and one passes its checks, the others are probed at once: a roll call. Those that
 * respond become healthy together with the first. Otherwise their sessions would move to the first, until each
 * backend had passed its own checks.
 *
 * Where processes share the checks (`pool.shareChecks`), the one on duty makes them. The others take its results, and go
 * on with them at its checks' times when the duty is theirs.
 * @param random uniform in [0, 1)
 */
export function startHealthChecks(
  pool: Pool,
  settings: HealthSettings,
  probe: Probe,
  random: () => number = Math.random,
): HealthChecks {
  const duty = pool.checkDuty
  /** Those without a check are checked by another process. */
  const checks = new Map<Backend, HealthCheck | undefined>()
  /** The checks of backends that responded to the roll call. */
  let present: Set<HealthCheck> | undefined
  /** When the next first check is due, were each a gap behind the one before. */
  let nextFirstMs = 0

  /** A listener to an event may change the pool, so each step reads the current state. */
  function follow(): void {
    for (const [backend, check] of checks) {
      if (isServing(backend)) continue
      check?.close()
      checks.delete(backend)
      // After a deploy perhaps, it comes back as new.
      if (pool.find(backend.id)?.backend !== backend) {
        duty?.forget(backend)
        continue
      }
      forget(backend)
      tell(backend, undefined)
    }
    for (const { backend } of pool.backends) {
      if (checks.has(backend) || !isServing(backend)) continue
      const known = knownOf(backend)
      checks.set(backend, checkOf(backend, known))
      if (known === undefined) forget(backend)
      else take(backend, known)
    }
  }

  /** Backends with results of earlier checks keep them. */
  function begin(): void {
    for (const { backend, checked } of pool.backends) {
      if (!settings.selfDrain) pool.setSelfDraining(backend.id, false)
      if (checked !== undefined && isServing(backend))
        checks.set(backend, checkOf(backend, knownOf(backend), checked))
    }
    follow()
  }

  /** Whether the backend is checked at all: one in maintenance is not. */
  function isServing(backend: Backend): boolean {
    const view = pool.find(backend.id)
    return view?.backend === backend && view.state !== 'maint'
  }

  function forget({ id }: Backend): void {
    pool.setHealthy(id, settings.isUpAtFirst, 'not checked yet')
    pool.setSelfDraining(id, false)
  }

  /** The state that another process has found. */
  function take({ id }: Backend, { healthy, selfDraining, reason }: CheckedState): void {
    pool.setHealthy(id, healthy, reason)
    pool.setSelfDraining(id, selfDraining)
  }

  /** @param atMs when it was checked; undefined: it is to be checked as a new one */
  function tell(backend: Backend, atMs: number | undefined, reason?: string): void {
    const view = pool.find(backend.id)
    if (duty === undefined || view?.backend !== backend) return
    const { checked, selfDraining } = view
    const against = checks.get(backend)?.against ?? 0
    duty.tell(backend, { healthy: checked ?? settings.isUpAtFirst, selfDraining, reason, against, atMs })
  }

  function knownOf(backend: Backend): CheckedState | undefined {
    const known = duty?.known(backend)
    return known?.atMs === undefined ? undefined : known
  }

  /** @param id of a backend that another process has told about; undefined: the duty has changed */
  function told(id?: string): void {
    if (id === undefined) {
      for (const [backend, check] of checks) {
        if (duty?.isOn === (check !== undefined)) continue
        check?.close()
        checks.set(backend, checkOf(backend, knownOf(backend)))
      }
      return
    }
    const backend = pool.find(id)?.backend
    if (backend === undefined || !checks.has(backend) || duty?.isOn !== false) return
    const known = duty.known(backend)
    if (known !== undefined) take(backend, known)
  }

  /** @param known what another process has found @param isUp whether it is up, where that is known */
  function checkOf(backend: Backend, known?: CheckedState, isUp?: boolean): HealthCheck | undefined {
    if (duty?.isOn === false) return undefined
    // A last check of the future was seen by a clock that was set back since.
    const { atMs } = known ?? {}
    const { intervalMs } = settings
    const dueInMs =
      atMs === undefined ? undefined : Math.min(Math.max(0, atMs + intervalMs - Date.now()), intervalMs)
    return newCheck(backend, { isUp: known?.healthy ?? isUp, against: known?.against ?? 0 }, dueInMs)
  }

  /** A backend that is down until it is checked is checked at once, unless there are many. */
  function firstDelayMs(): number {
    const gapMs = Math.min(FIRST_GAP_MS, settings.intervalMs / pool.backends.length)
    const nowMs = performance.now()
    const dueMs = Math.max(nowMs, nextFirstMs)
    nextFirstMs = dueMs + gapMs
    return Math.max(0, dueMs - nowMs - (MAX_AT_ONCE - 1) * gapMs)
  }

  function newCheck(
    backend: Backend,
    { isUp: known, against }: { isUp: boolean | undefined; against: number },
    dueInMs?: number,
  ): HealthCheck {
    const isUp = known ?? settings.isUpAtFirst
    const firstMs = dueInMs ?? (isUp ? random() * settings.intervalMs : firstDelayMs())
    const check: HealthCheck = new HealthCheck(
      settings,
      { random, known, against, firstMs },
      {
        async probe(signal) {
          const result = await probe(backend, signal)
          if (signal.aborted || checks.get(backend) !== check) return
          // An application that is starting may have no pages yet.
          if (result === 'not-found' && pool.find(backend.id)?.checked === false)
            throw new Error('status 404')
          pool.setSelfDraining(backend.id, result === 'drain' || result === 'not-found')
        },
        seen(problem, durationMs) {
          pool.noteCheck(backend.id, { healthy: problem === undefined, problem, durationMs })
          tell(backend, Date.now())
        },
        fallen(problem) {
          pool.setHealthy(backend.id, false, problem)
          tell(backend, Date.now(), problem)
        },
        risen() {
          pool.setHealthy(backend.id, true)
          tell(backend, Date.now())
        },
        proven() {
          if (present !== undefined) present.add(check)
          // A healthy backend that takes no session, for its weight is 0, has not received the others' sessions.
          else if (pool.candidates.length > 0) check.rise()
          else void callRoll(check)
        },
      },
    )
    return check
  }

  async function callRoll(first: HealthCheck): Promise<void> {
    const responded = new Set([first])
    present = responded
    const others = checks.values()
    /** Several roll calls share these probes. A backend that missed one is probed at its own time. */
    async function call(): Promise<void> {
      for (const check of others) {
        if (present !== responded) return
        if (check !== undefined && check !== first && (await check.isWellNow())) responded.add(check)
      }
    }
    const calls = Array.from({ length: MAX_AT_ONCE }, call)
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(resolve, ROLL_CALL_MS, undefined).unref()
    await Promise.race([Promise.all(calls), late])
    clearTimeout(timer)
    present = undefined
    for (const check of responded) check.rise()
  }

  const leave = pool.watch(follow)
  const leaveDuty = duty?.watch(told)
  begin()
  return {
    close() {
      leave()
      leaveDuty?.()
      for (const check of checks.values()) check?.close()
      checks.clear()
    },
  }
}
