import type { BackendOptions } from './backend.ts'
import type { Balancer } from './balancer.ts'
import { leastRequests } from './balancers/least-requests.ts'
import { randomTwo } from './balancers/random-two.ts'
import { roundRobin } from './balancers/round-robin.ts'
import { compileTrustProxy } from './client.ts'
import { type CookieOptions, type CookiePolicyOptions, parseCookieOptions } from './cookie/cookie-options.ts'
import { cookiesCollide } from './cookie/cookie-path.ts'
import { cookiePolicy } from './cookie/cookie-policy.ts'
import type { LeaseContext } from './lease.ts'
import {
  OptionError,
  optionFunction,
  optionInteger,
  optionList,
  optionObject,
  optionOneOf,
} from './option.ts'
import type { AffinityPolicy, PolicyContext } from './policy.ts'
import { Pool } from './pool.ts'
import { parseSecrets, type Secret } from './secrets.ts'

export type BalancerName = 'round-robin' | 'least-requests' | 'random-two'

/** One pool and how its sessions are kept. The same words as in the gateway's file. */
export interface AffinityOptions {
  /** The pool's name: 1 to 64 of `A-Z a-z 0-9 _ -`. Cookies of one name say nothing to a pool of another. @default 'default' */
  readonly name?: string
  readonly backends: readonly BackendOptions[]
  /** What signs the cookie, newest first: sign with the first, accept any. Needed where a policy signs. */
  readonly secrets?: readonly Secret[]
  /** Read in this order; the first that names a usable backend wins. Empty: none. @default [{ cookie: {} }] */
  readonly affinity?: readonly ({ readonly cookie: CookiePolicyOptions } | AffinityPolicy)[]
  /** Who gets a session that has no backend yet. @default 'round-robin' */
  readonly balance?: BalancerName | Balancer
  /** The session's backend is down: move it, or answer 503 and keep it. @default 'redispatch' */
  readonly onUnavailable?: 'redispatch' | 'reject'
  /** Backends that one request may try. @default 3 */
  readonly maxAttempts?: number
  /** Addresses and CIDR ranges of proxies whose X-Forwarded-* is believed. @default [] */
  readonly trustProxy?: readonly string[]
  /** The Host that a backend sees: the client's, or its own. @default 'preserve' */
  readonly host?: 'preserve' | 'backend'
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
  'trustProxy',
  'host',
  'now',
] as const satisfies readonly (keyof AffinityOptions)[]

const DEFAULT_AFFINITY = [{ cookie: {} }] as const

/** Options, compiled. */
export interface ParsedAffinity extends LeaseContext {
  readonly cookies: readonly CookieOptions[]
}

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseAffinityOptions(options: AffinityOptions): ParsedAffinity {
  optionObject('', options, AFFINITY_OPTION_KEYS)
  const { name = 'default' } = options
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new OptionError('name', name, '1 to 64 of the characters A-Z a-z 0-9 _ -')
  }
  const now = optionFunction('now', options.now, Date.now)
  const pool = new Pool(name, options.backends)
  const { policies, cookies } = parsePolicies(options.affinity, pool, options.secrets, now)
  return {
    pool,
    policies,
    cookies,
    balancer: parseBalancer(options.balance),
    trusts: compileTrustProxy('trustProxy', options.trustProxy),
    onUnavailable: optionOneOf('onUnavailable', options.onUnavailable, 'redispatch', [
      'redispatch',
      'reject',
    ]),
    maxAttempts: optionInteger('maxAttempts', options.maxAttempts, 3, 1, 100),
    preserveHost: optionOneOf('host', options.host, 'preserve', ['preserve', 'backend']) === 'preserve',
    forwardCookie: cookieForwarder(policies),
  }
}

interface Policies {
  readonly policies: readonly AffinityPolicy[]
  readonly cookies: readonly CookieOptions[]
}

function parsePolicies(value: unknown, pool: Pool, secrets: unknown, now: () => number): Policies {
  const takes = 'a list of policies: { cookie: … } or { name, read, write }'
  const cookies: CookieOptions[] = []
  // Secrets are asked for only where something is signed.
  let context: PolicyContext | undefined
  const policies = optionList('affinity', value ?? DEFAULT_AFFINITY, takes).map((item, index) => {
    const path = `affinity[${index}]`
    if (isPolicy(item)) return item
    const { cookie } = optionObject(path, item, ['cookie'])
    if (cookie === undefined) throw new OptionError(path, item, takes)
    const options = parseCookieOptions(`${path}.cookie`, cookie)
    if (cookies.some(other => cookiesCollide(other, options))) {
      throw new OptionError(
        `${path}.cookie.name`,
        options.name,
        'a name that no other cookie under this path has',
      )
    }
    cookies.push(options)
    context ??= { pool, secrets: parseSecrets(secrets), now }
    return cookiePolicy(options, context)
  })
  return { policies, cookies }
}

function isPolicy(value: unknown): value is AffinityPolicy {
  return typeof value === 'object' && value !== null && 'read' in value && typeof value.read === 'function'
}

function parseBalancer(value: AffinityOptions['balance']): Balancer {
  if (typeof value === 'object' && value !== null && typeof value.pick === 'function') return value
  const names = ['round-robin', 'least-requests', 'random-two'] as const
  const makers = { 'round-robin': roundRobin, 'least-requests': leastRequests, 'random-two': randomTwo }
  return makers[optionOneOf('balance', value, 'round-robin', names)]()
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
