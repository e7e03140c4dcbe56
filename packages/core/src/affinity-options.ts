import { BACKENDS, MAX_IN_FLIGHT } from './pool/backend.ts'
import { BALANCE, parseBalancer } from './balancers/balancer-options.ts'
import { roundRobin } from './balancers/round-robin.ts'
import { TRUST_PROXY } from './http/trust-proxy.ts'
import type { WrittenCookie } from './http/cookie-path.ts'
import { type DebugTokens, debugTokens } from './explaining/debug-tokens.ts'
import { pinReader, pinToken, type PinTokenOptions } from './explaining/pin-tokens.ts'
import type { RequestHead } from './head.ts'
import { IGNORE_RULES, ignored } from './selection/ignore.ts'
import type { LeaseContext } from './held-lease.ts'
import { isRecord, type OptionError, optionObject, throwAll } from './options/option.ts'
import { asGiven, attempt, codeOnly, needed } from './options/option-kind.ts'
import { duration } from './options/duration-kind.ts'
import { boolean, callback, integer, text, word } from './options/plain-kinds.ts'
import { type OptionsOf, optionTable } from './options/option-table.ts'
import { OUTLIER_DETECTION } from './pool/outlier-detection.ts'
import type { AffinityPolicy } from './policies/policy.ts'
import { parsePolicies, POLICIES } from './policies/policy-options.ts'
import { LivePool } from './pool/live-pool.ts'
import { RETRY_ON } from './selection/retry-on.ts'
import { RETRY_BUDGET, RetryBudget } from './selection/retry-budget.ts'
import { parseSecrets, type Secret } from './signing/secrets.ts'
import { steadyNow } from './steady-clock.ts'

/** One pool and how its sessions are kept. The same words as in the gateway's file. */
export const AFFINITY_OPTIONS = optionTable({
  /** The pool's name: 1 to 64 of `A-Z a-z 0-9 _ -`. A cookie of one pool says nothing to another. @default 'default' */
  name: codeOnly(
    text({
      pattern: /^[A-Za-z0-9_-]{1,64}$/,
      takes: '1 to 64 of the characters A-Z a-z 0-9 _ -',
      default: 'default',
    }),
  ),
  /** The servers behind the gateway. May be empty. */
  backends: needed(BACKENDS),
  /** The keys that sign the cookie, newest first: signs with the first, accepts all. At least 32 bytes each, at most 8. Needed where a policy signs. */
  secrets: codeOnly(asGiven<readonly Secret[]>('a list of secrets')),
  /** How a session is recognised: the first policy that names a usable backend decides. Empty: not at all. @default [{ cookie: {} }] */
  affinity: POLICIES,
  /** How a session that has no backend gets one. @default 'round-robin' */
  balance: BALANCE,
  /** The session's backend is down: move the session, or respond with 503 and keep it. @default 'redispatch' */
  onUnavailable: word(['redispatch', 'reject'], { default: 'redispatch' }),
  /** With `reject`: a backend that discovery has removed counts as down for so long. Then its sessions are placed anew. 0: at once. @default '1m' */
  removedGrace: duration({ default: '1m' }),
  /** How often one request may be sent, to other backends and once more to the same one. @default 3 */
  maxAttempts: integer({ min: 1, max: 100, default: 3 }),
  /** Failures and response statuses after which a request is sent to another backend, where that is safe. @default ['connect', 'reset', 'timeout'] */
  retryOn: RETRY_ON,
  /** How many requests that a backend has seen may be sent to another. @default { ratio: 0.2, minPerSecond: 10 } */
  retryBudget: RETRY_BUDGET,
  /** Outlier detection: requests that got no response take their backend out for a while. @default absent: they do not */
  passive: OUTLIER_DETECTION,
  /** Ramp-up time of a recovered or new backend to its whole share of new sessions. @default 0 */
  slowStart: duration({ default: 0 }),
  /** Requests that a backend may have at one time, WebSockets included. 0: any number. @default 0 */
  maxInFlight: MAX_IN_FLIGHT,
  /** The session's backend is full: move the session, wait in a queue, or respond with 503. @default 'overflow' */
  whenFull: word(['overflow', 'wait', 'reject'], { default: 'overflow' }),
  /** Requests that may wait for one backend, and that may wait for any. @default 256 */
  maxQueue: integer({ min: 1, max: 1_000_000, default: 256 }),
  /** How long a request waits for room; then 503. @default '10s' */
  queueTimeout: duration({ default: '10s' }),
  /** How long a request waits when no backend is available; then 503. @default 0 */
  waitForBackend: duration({ default: 0 }),
  /** A session that has moved to a backup leaves it as soon as a primary can take it. @default false */
  returnFromBackup: boolean({ default: false }),
  /** Adds limpet's part to `Server-Timing` of each response: the affinity status, and the milliseconds until the head of the response. @default false */
  serverTiming: boolean({ default: false }),
  /** Addresses and CIDR ranges of proxies whose X-Forwarded-* is believed. @default [] */
  trustProxy: codeOnly(TRUST_PROXY),
  /** The Host that a backend sees: the client's, or that of its own url. @default 'preserve' */
  host: word(['preserve', 'backend'], { default: 'preserve' }),
  /** Requests that are placed without reading their keys, and answered without one. @default [] */
  ignore: IGNORE_RULES,
  /** The clock: milliseconds since the epoch. @default Date.now */
  now: callback<() => number>({ default: Date.now }),
})

export interface AffinityOptions extends OptionsOf<typeof AFFINITY_OPTIONS> {}

/** The options of core, so that an adapter can tell them from its own. */
export const AFFINITY_OPTION_KEYS = AFFINITY_OPTIONS.keys

/** Options, compiled. */
export interface ParsedAffinity extends LeaseContext {
  readonly cookies: readonly WrittenCookie[]
  readonly isIgnored: (request: RequestHead) => boolean
  /** @throws OptionError when there are no secrets */
  readonly debugTokens: () => DebugTokens
  /** The id of the member that a pin names. @throws OptionError when there are no secrets */
  readonly readPin: (value: string) => string | undefined
  /** @throws OptionError when there are no secrets, or for a time that is too short or too long */
  readonly pinToken: (options: PinTokenOptions) => string
}

/** In the place of wrong options, so that the policies and the balancer are checked all the same. */
const STAND_IN = AFFINITY_OPTIONS.parse('', { backends: [] })

/** @throws OptionError with every problem */
export function parseAffinityOptions(options: AffinityOptions): ParsedAffinity {
  // Each key of something that is no object would be missing.
  optionObject('', options, Object.keys(isRecord(options) ? options : STAND_IN))
  const errors: OptionError[] = []
  const read = AFFINITY_OPTIONS.read('', options, errors)
  const checked =
    errors.length === 0
      ? read
      : { ...STAND_IN, affinity: read.affinity, balance: read.balance, secrets: read.secrets }
  const { secrets, now } = checked
  // A clock that was given, as by a test, is the one for all.
  const steady = now === Date.now ? steadyNow : now
  const pool = new LivePool(checked.name, errors.length === 0 ? options.backends : [], {
    passive: checked.passive,
    slowStartMs: checked.slowStart,
    maxInFlight: checked.maxInFlight,
    maxQueue: checked.maxQueue,
    // Where sessions move, they move at once.
    removedGraceMs: checked.onUnavailable === 'reject' ? checked.removedGrace : 0,
    now,
  })
  const parsedSecrets = once(() => parseSecrets(secrets))
  /** Secrets that no policy needs may be absent, or wrong: then there are no tokens. */
  const tokens = once(() => debugTokens(checked.name, parsedSecrets(), now))
  const pins = once(() => pinReader(pool, parsedSecrets(), now))
  const context = {
    pool,
    now,
    steadyNow: steady,
    // Asked for only where something is signed.
    get secrets() {
      return parsedSecrets()
    },
  }
  const { policies, cookies, forwarding } =
    attempt(() => parsePolicies(checked.affinity, context), errors) ?? parsePolicies([], context)
  const balancer = attempt(
    () =>
      parseBalancer(checked.balance, {
        pool,
        trusts: checked.trustProxy,
        oldestSecret: () => (secrets === undefined ? undefined : parsedSecrets().at(-1)),
      }),
    errors,
  )
  throwAll(errors)
  pool.countSessionsWith(
    id => liveSessions(policies, id),
    id => sessionsSeen(policies, id),
  )
  return {
    pool,
    policies,
    cookies,
    balancer: balancer ?? roundRobin(),
    trusts: checked.trustProxy,
    onUnavailable: checked.onUnavailable,
    maxAttempts: checked.maxAttempts,
    retryOn: checked.retryOn,
    retryBudget: new RetryBudget(checked.retryBudget, steady),
    whenFull: checked.whenFull,
    queueTimeoutMs: checked.queueTimeout,
    waitForBackendMs: checked.waitForBackend,
    returnFromBackup: checked.returnFromBackup,
    serverTiming: checked.serverTiming,
    preserveHost: checked.host === 'preserve',
    isIgnored: ignored(checked.ignore),
    debugTokens: tokens,
    readPin: value => pins()(value),
    pinToken: pin => pinToken(pool.name, parsedSecrets(), pin, now),
    forwarding,
  }
}

/** The same result, or the same error, each time. */
function once<T>(make: () => T): () => T {
  let made: (() => T) | undefined
  return () => {
    if (made === undefined) {
      try {
        const value = make()
        made = () => value
      } catch (error) {
        made = () => {
          throw error
        }
      }
    }
    return made()
  }
}

/** Policies may count the same session, each by its own key. */
function liveSessions(policies: readonly AffinityPolicy[], id: string): number | undefined {
  const counts = policies.map(policy => policy.sessions?.(id))
  return counts.some(count => count === undefined) ? undefined : Math.max(0, ...counts.map(Number))
}

/** Of policies that cannot tell, what the others have seen. */
function sessionsSeen(policies: readonly AffinityPolicy[], id: string): number | undefined {
  const counts = policies.map(policy => policy.sessions?.(id) ?? policy.sessionsSeen?.(id))
  const known = counts.filter(count => count !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}
