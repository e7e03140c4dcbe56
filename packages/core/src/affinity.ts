import { type AffinityOptions, parseAffinityOptions } from './affinity-options.ts'
import { TICKS_PER_MS, ticksNow, ticksSince } from './counts/ticks.ts'
import type { DebugTokenOptions } from './explaining/debug-tokens.ts'
import type { PinTokenOptions } from './explaining/pin-tokens.ts'
import { withDecision } from './explaining/decision-field.ts'
import { DecisionLog } from './explaining/decision-log.ts'
import { explainRefusal, foretell, foretellPinned } from './explaining/explain.ts'
import { claimsOf, explainKeys } from './explaining/explained-keys.ts'
import { ExplainedLease } from './explaining/explained-lease.ts'
import type { Explanation } from './explaining/explanation.ts'
import { type PoolFigures, poolFigures } from './figures.ts'
import { clientOf } from './http/client.ts'
import { DEBUG_FIELD } from './http/own-fields.ts'
import { decidePinned, hasPin, pinValues } from './selection/pinned.ts'
import type { WrittenCookie } from './http/cookie-path.ts'
import { decide, type Decision, type Wait } from './selection/decision.ts'
import * as diagnostics from './diagnostics.ts'
import { type AffinityError, NoBackendError } from './errors.ts'
import type { RequestHead } from './head.ts'
import { HeldLease } from './held-lease.ts'
import type { Lease } from './lease.ts'
import { refusal } from './http/refusal.ts'
import type { Claims } from './policies/policy.ts'
import { readPolicies } from './policies/policy-reading.ts'
import type { LivePool } from './pool/live-pool.ts'
import type { Pool } from './pool/pool.ts'

/** Calls `listener` when the client leaves; at once, when it has left already. */
export type OnceGone = (listener: () => void) => void

/** Keeps each session on its backend: the interface for adapters. */
export interface Affinity {
  readonly pool: Pool
  /** The cookies it writes: no other pool of the same host may write them. */
  readonly cookies: readonly WrittenCookie[]
  /**
   * Chooses the backend of `request`; the lease is to be released when the client's side closes.
   * Returns a promise only when a policy has to query a remote store, or when the request waits for a backend.
   * @throws RefusedRequestError (4xx, 5xx) for a message that must not be forwarded
   * @throws NoBackendError (503) when no backend is available
   */
  select(request: RequestHead): Lease | Promise<Lease>
  /**
   * The same for a client that may leave while its request waits: then the request is taken out of the queue, and the
   * promise settles with undefined.
   * @param onceGone asked only when the request has to wait
   */
  select(request: RequestHead, onceGone: OnceGone): Lease | Promise<Lease | undefined>
  /**
   * Why `request` would get its backend now, as `select` would decide. It has no effect: no session begins, nothing is
   * counted, and no turn of a balancer is used. Returns a promise only when a policy has to query a store.
   */
  explain(request: RequestHead): Explanation | Promise<Explanation>
  /**
   * Makes a token for the request field `Limpet-Debug`: the response to a request with it has the decision, as JSON in
   * `Limpet-Decision`. Other values of the field are ignored, and no backend gets it.
   * @throws OptionError when the pool has no secrets, or the time is too short or too long
   */
  debugToken(options?: DebugTokenOptions): string
  /**
   * Makes a pin: a request that has it in the field `Limpet-Pin`, or in the cookie `limpet-pin`, goes to this backend,
   * while it drains and in maintenance, too. Its session is neither read nor written, and no backend gets the pin.
   * @throws OptionError when the pool has no secrets, `backend` is no id, or the time is too short or too long
   */
  pinToken(options: PinTokenOptions): string
  /** The pool in figures, counted by this process since the affinity was built. */
  stats(): PoolFigures
}

/**
 * Builds the affinity of one pool.
 * @throws OptionError naming the option, the value and the accepted values.
 */
export function createAffinity(options: AffinityOptions): Affinity {
  const context = parseAffinityOptions(options)
  const { pool, policies, isIgnored } = context

  function hold(
    request: RequestHead,
    decision: Decision,
    log: DecisionLog | undefined,
    arrivedTicks?: number,
  ): Lease {
    log?.decided(decision, arrivedTicks === undefined ? undefined : ticksSince(arrivedTicks) / TICKS_PER_MS)
    const held = new HeldLease(context, request, clientOf(request, context.trusts), decision, arrivedTicks)
    if (diagnostics.selected.hasSubscribers) {
      const { backend, status } = held
      diagnostics.selected.publish(
        diagnostics.eventOf(request.message, { pool: pool.name, backend: backend.id, status }),
      )
    }
    return log === undefined ? held : new ExplainedLease(held, log, request)
  }

  function lease(
    request: RequestHead,
    read: readonly Claims[],
    onceGone: OnceGone | undefined,
    log?: DecisionLog,
  ): Lease | Promise<Lease | undefined> {
    const decision = decide(context, request, read)
    if (decision === undefined) throw unavailable(request, log)
    return 'view' in decision ? hold(request, decision, log) : queue(request, read, decision, onceGone, log)
  }

  function unavailable(request: RequestHead, log: DecisionLog | undefined): NoBackendError {
    const error = published(pool, request, new NoBackendError())
    return log === undefined ? error : withDecision(error, log.explanation)
  }

  /** Decides again after every change in the pool, and serves the request as soon as a backend can take it. */
  async function queue(
    request: RequestHead,
    read: readonly Claims[],
    wait: Wait,
    onceGone: OnceGone | undefined,
    log: DecisionLog | undefined,
  ): Promise<Lease | undefined> {
    if (diagnostics.queued.hasSubscribers)
      diagnostics.queued.publish(
        diagnostics.eventOf(request.message, { pool: pool.name, backend: wait.waitFor?.backend.id }),
      )
    const arrivedTicks = ticksNow()
    return new Promise((resolve, reject) => {
      let queued = wait
      function serve(): boolean {
        try {
          const decision = decide(context, request, read, queued)
          if (decision !== undefined && 'view' in decision) {
            pool.counts.queueTimes.record(ticksSince(arrivedTicks))
            resolve(hold(request, decision, log, arrivedTicks))
            return true
          }
          if (decision !== undefined) place.waitFor((queued = decision).waitFor)
          return false
        } catch (error) {
          // The app's own balancer has thrown. The request that has made room is not at fault.
          reject(error instanceof Error ? error : new Error(String(error), { cause: error }))
          return true
        }
      }
      const place = pool.queue.enter(wait.waitFor, serve, wait.timeoutMs, () =>
        reject(unavailable(request, log)),
      )
      onceGone?.(() => {
        place.leave()
        resolve(undefined)
      })
    })
  }

  function select(request: RequestHead): Lease | Promise<Lease>
  function select(request: RequestHead, onceGone?: OnceGone): Lease | Promise<Lease | undefined> {
    const refused = refusal(request)
    if (refused !== undefined) throw published(pool, request, refused)
    const pin = hasPin(request) ? pinOf(request) : undefined
    if (pin !== undefined) return selectPinned(request, pin)
    if (request.headers[DEBUG_FIELD] !== undefined && asksForDecision(request))
      return selectExplained(request, onceGone)
    const read = isIgnored(request) ? [] : readPolicies(pool, policies, request)
    return read instanceof Promise
      ? read.then(all => lease(request, all, onceGone))
      : lease(request, read, onceGone)
  }

  /** The id of the backend to which a request is pinned. */
  function pinOf(request: RequestHead): string | undefined {
    try {
      for (const value of pinValues(request)) {
        const id = context.readPin(value)
        if (id !== undefined) return id
      }
    } catch {
      // Without secrets there are no pins.
    }
    return undefined
  }

  function selectPinned(request: RequestHead, pin: string): Lease {
    const log = asksForDecision(request) ? new DecisionLog(context, [], pin) : undefined
    const decision = decidePinned(context, request, pin)
    if (decision === undefined) throw unavailable(request, log)
    return hold(request, decision, log)
  }

  function asksForDecision({ headers }: RequestHead): boolean {
    const token = headers[DEBUG_FIELD]
    try {
      return typeof token === 'string' && context.debugTokens().accepts(token)
    } catch {
      // Without secrets there are no tokens.
      return false
    }
  }

  function selectExplained(
    request: RequestHead,
    onceGone: OnceGone | undefined,
  ): Lease | Promise<Lease | undefined> {
    const read = isIgnored(request) ? [] : explainKeys(policies, request)
    return read instanceof Promise
      ? read.then(all => lease(request, claimsOf(all), onceGone, new DecisionLog(context, all)))
      : lease(request, claimsOf(read), onceGone, new DecisionLog(context, read))
  }

  function explain(request: RequestHead): Explanation | Promise<Explanation> {
    const refused = refusal(request)
    if (refused !== undefined) return explainRefusal(context, refused)
    const pin = pinOf(request)
    if (pin !== undefined) return foretellPinned(context, request, pin)
    const read = isIgnored(request) ? [] : explainKeys(policies, request)
    return read instanceof Promise
      ? read.then(all => foretell(context, request, all))
      : foretell(context, request, read)
  }

  return {
    pool,
    cookies: context.cookies,
    select,
    explain,
    debugToken: token => context.debugTokens().make(token),
    pinToken: context.pinToken,
    stats: () => poolFigures(pool, context.retryBudget),
  }
}

function published<E extends AffinityError>(pool: LivePool, request: RequestHead, error: E): E {
  pool.counts.refuse(error.code)
  diagnostics.publishRefused(pool.name, request.message, error)
  return error
}
