import { type BackendOptions, parseMaxInFlight } from './pool/backend.ts'
import { type BalanceOptions, parseBalancer } from './balancers/balancer-options.ts'
import { compileTrustProxy } from './http/client.ts'
import type { CookieOptions } from './policies/cookie/cookie-options.ts'
import { type Duration, durationMs } from './options/duration.ts'
import type { RequestHead } from './head.ts'
import { type IgnoreOptions, parseIgnore } from './selection/ignore.ts'
import type { LeaseContext } from './lease.ts'
import {
  OptionError,
  optionBoolean,
  optionFunction,
  optionInteger,
  optionObject,
  optionOneOf,
} from './options/option.ts'
import { type OutlierDetectionOptions, parseOutlierDetection } from './pool/outlier-detection.ts'
import type { AffinityPolicy } from './policies/policy.ts'
import { parsePolicies, type PolicyOptions } from './policies/policy-options.ts'
import { Pool } from './pool/pool.ts'
import { parseRetryBudget, RetryBudget, type RetryBudgetOptions } from './selection/retry-budget.ts'
import { parseRetryOn, type RetryCondition } from './selection/retry-on.ts'
import { parseSecrets, type Secret } from './signing/secrets.ts'

/** One pool and how its sessions are kept. The same words as in the gateway's file. */
export interface AffinityOptions {
  /** The pool's name: 1 to 64 of `A-Z a-z 0-9 _ -`. Cookies of one name say nothing to a pool of another. @default 'default' */
  readonly name?: string
  readonly backends: readonly BackendOptions[]
  /** What signs the cookie, newest first: sign with the first, accept any. Needed where a policy signs. The last keys a hash. */
  readonly secrets?: readonly Secret[]
  /** Read in this order; the first that names a usable backend wins. Empty: none. @default [{ cookie: {} }] */
  readonly affinity?: readonly PolicyOptions[]
  /** Who gets a session that has no backend yet. @default 'round-robin' */
  readonly balance?: BalanceOptions
  /** The session's backend is down: move it, or answer 503 and keep it. @default 'redispatch' */
  readonly onUnavailable?: 'redispatch' | 'reject'
  /** How often one request may be sent, to other backends and once more to the same one. @default 3 */
  readonly maxAttempts?: number
  /** Failures and response statuses after which a request is sent to another backend, where that is safe. @default ['connect', 'reset', 'timeout'] */
  readonly retryOn?: readonly RetryCondition[]
  /** How many requests that a backend has seen may be shown to another. @default { ratio: 0.2, minPerSecond: 10 } */
  readonly retryBudget?: RetryBudgetOptions
  /** Requests that got no answer take their backend out for a while. @default absent: they do not */
  readonly passive?: OutlierDetectionOptions
  /** In which a backend that comes back, or is added, gets to its whole share of new sessions. @default 0 */
  readonly slowStart?: Duration
  /** Requests that a backend may have at one time, WebSockets included; 0: any number. @default 0 */
  readonly maxInFlight?: number
  /** The session's backend is full: move the session, wait in a queue, or answer 503. @default 'overflow' */
  readonly whenFull?: 'overflow' | 'wait' | 'reject'
  /** Requests that may wait for one backend, and that may wait for anybody. @default 256 */
  readonly maxQueue?: number
  /** How long one waits for room; then 503. @default '10s' */
  readonly queueTimeout?: Duration
  /** How long a request waits when nobody is available; then 503. @default 0 */
  readonly waitForBackend?: Duration
  /** A session that has moved to a backup leaves it as soon as a primary is there. @default false */
  readonly returnFromBackup?: boolean
  /** Addresses and CIDR ranges of proxies whose X-Forwarded-* is believed. @default [] */
  readonly trustProxy?: readonly string[]
  /** The Host that a backend sees: the client's, or its own. @default 'preserve' */
  readonly host?: 'preserve' | 'backend'
  /** Requests that are placed without a look at their keys, and answered without one. @default [] */
  readonly ignore?: readonly IgnoreOptions[]
  /** The clock: milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

/** The options of core, so that an adapter can tell them from its own. */
export const AFFINITY_OPTION_KEYS = [
  'name',
  'backends',
  'secrets',
  'affinity',
  'balance',
  'onUnavailable',
  'maxAttempts',
  'retryOn',
  'retryBudget',
  'passive',
  'slowStart',
  'maxInFlight',
  'whenFull',
  'maxQueue',
  'queueTimeout',
  'waitForBackend',
  'returnFromBackup',
  'trustProxy',
  'host',
  'ignore',
  'now',
] as const satisfies readonly (keyof AffinityOptions)[]

/** Options, compiled. */
export interface ParsedAffinity extends LeaseContext {
  readonly cookies: readonly CookieOptions[]
  readonly isIgnored: (request: RequestHead) => boolean
}

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseAffinityOptions(options: AffinityOptions): ParsedAffinity {
  optionObject('', options, AFFINITY_OPTION_KEYS)
  const { name = 'default' } = options
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new OptionError('name', name, '1 to 64 of the characters A-Z a-z 0-9 _ -')
  }
  const now = optionFunction('now', options.now, Date.now)
  const pool = new Pool(name, options.backends, {
    passive: parseOutlierDetection('passive', options.passive),
    slowStartMs: durationMs('slowStart', options.slowStart, 0),
    maxInFlight: parseMaxInFlight('maxInFlight', options.maxInFlight),
    maxQueue: optionInteger('maxQueue', options.maxQueue, 256, 1, 1_000_000),
    now,
  })
  const trusts = compileTrustProxy('trustProxy', options.trustProxy)
  let parsed: readonly Uint8Array[] | undefined
  const parsedSecrets = () => (parsed ??= parseSecrets(options.secrets))
  const { policies, cookies } = parsePolicies(options.affinity, {
    pool,
    now,
    // Asked for only where something is signed.
    get secrets() {
      return parsedSecrets()
    },
  })
  pool.countSessionsWith(id => liveSessions(policies, id))
  return {
    pool,
    policies,
    cookies,
    balancer: parseBalancer(options.balance, {
      pool,
      trusts,
      oldestSecret: () => (options.secrets === undefined ? undefined : parsedSecrets().at(-1)),
    }),
    trusts,
    onUnavailable: optionOneOf('onUnavailable', options.onUnavailable, 'redispatch', [
      'redispatch',
      'reject',
    ]),
    maxAttempts: optionInteger('maxAttempts', options.maxAttempts, 3, 1, 100),
    retryOn: parseRetryOn('retryOn', options.retryOn),
    retryBudget: new RetryBudget(parseRetryBudget('retryBudget', options.retryBudget), now),
    whenFull: optionOneOf('whenFull', options.whenFull, 'overflow', ['overflow', 'wait', 'reject']),
    queueTimeoutMs: durationMs('queueTimeout', options.queueTimeout, '10s'),
    waitForBackendMs: durationMs('waitForBackend', options.waitForBackend, 0),
    returnFromBackup: optionBoolean('returnFromBackup', options.returnFromBackup, false),
    preserveHost: optionOneOf('host', options.host, 'preserve', ['preserve', 'backend']) === 'preserve',
    isIgnored: parseIgnore('ignore', options.ignore),
    forwardCookie: cookieForwarder(policies),
  }
}

type ForwardCookie = LeaseContext['forwardCookie']

/** Folds what the policies do to a Cookie line into one function; most lists have one that does. */
function cookieForwarder(policies: readonly AffinityPolicy[]): ForwardCookie {
  const forwarders = policies.flatMap<ForwardCookie>(policy =>
    policy.forwardCookie === undefined ? [] : [policy.forwardCookie.bind(policy)],
  )
  const [first] = forwarders
  if (first === undefined) return line => line
  if (forwarders.length === 1) return first
  return (line, request) =>
    forwarders.reduce((kept, forward) => (kept === '' ? '' : forward(kept, request)), line)
}

/** Policies may count the same session, each by its own key. */
function liveSessions(policies: readonly AffinityPolicy[], id: string): number | undefined {
  const counts = policies.map(policy => policy.sessions?.(id))
  return counts.some(count => count === undefined) ? undefined : Math.max(0, ...counts.map(Number))
}
