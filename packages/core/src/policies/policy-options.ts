import {
  COOKIE_OPTIONS,
  type CookieOptions,
  type CookiePolicyOptions,
  parseCookieOptions,
} from './cookie/cookie-options.ts'
import { cookiesCollide } from '../http/cookie-path.ts'
import { cookiePolicy } from './cookie/cookie-policy.ts'
import { LEARN_OPTIONS, type LearnPolicyOptions, parseLearnOptions } from './learn/learn-options.ts'
import { learnPolicy } from './learn/learn-policy.ts'
import { isRecord, OptionError, optionList, optionObject, throwAll } from '../options/option.ts'
import { asGiven, attempt } from '../options/option-kind.ts'
import { list, oneOf } from '../options/option-kinds.ts'
import { table } from '../options/option-table.ts'
import type { AffinityPolicy, PolicyContext } from './policy.ts'
import { PREFIX_OPTIONS, type PrefixPolicyOptions } from './prefix/prefix-options.ts'
import { prefixPolicy } from './prefix/prefix-policy.ts'
import {
  parseRouteOptions,
  ROUTE_OPTIONS,
  type RoutePolicyOptions,
  routePolicy,
} from './route/route-policy.ts'

/** A policy as it is configured: one of ours by its word, or one of the user's. */
export type PolicyOptions =
  | { readonly cookie: CookiePolicyOptions }
  | { readonly learn: LearnPolicyOptions }
  | { readonly prefix: PrefixPolicyOptions }
  | { readonly route: RoutePolicyOptions }
  | AffinityPolicy

/** A policy of a file. */
const POLICY = oneOf({
  cookie: table(COOKIE_OPTIONS),
  prefix: table(PREFIX_OPTIONS),
  learn: table(LEARN_OPTIONS),
  route: table(ROUTE_OPTIONS),
})

/** The list of policies. They are compiled with the pool. */
export const POLICIES = asGiven<readonly PolicyOptions[]>(
  'a list of policies',
  list(POLICY, { takes: 'a list of policies' }),
)

export interface Policies {
  readonly policies: readonly AffinityPolicy[]
  /** The cookies that are ours alone. */
  readonly cookies: readonly CookieOptions[]
}

const DEFAULT = [{ cookie: {} }] as const
const WORDS = ['cookie', 'prefix', 'learn', 'route'] as const
const TAKES = `a list of policies, each with one of ${WORDS.join(', ')}, or { read, write }`

/** @throws OptionError naming the option, the value and the accepted values. */
export function parsePolicies(value: unknown, context: PolicyContext): Policies {
  const own = new PolicyList(context)
  const errors: OptionError[] = []
  const policies = optionList('affinity', value ?? DEFAULT, TAKES).flatMap((item, index) => {
    // A wrong option of a policy does not hide a wrong secret.
    if (isSigned(item)) attempt(() => context.secrets, errors)
    const policy = attempt(() => parsePolicy(own, `affinity[${index}]`, item), errors)
    return policy === undefined ? [] : [policy]
  })
  throwAll(errors)
  return { policies, cookies: own.cookies }
}

function parsePolicy(own: PolicyList, path: string, item: unknown): AffinityPolicy {
  if (isPolicy(item)) return checkedPolicy(path, item)
  const given = optionObject(path, item, WORDS)
  const [word, ...others] = WORDS.filter(one => given[one] !== undefined)
  if (word === undefined || others.length > 0) throw new OptionError(path, item, TAKES)
  return own[word](`${path}.${word}`, given[word])
}

/** The policies of one list, which must leave each other's cookies alone. */
class PolicyList implements Record<(typeof WORDS)[number], (path: string, value: unknown) => AffinityPolicy> {
  readonly cookies: CookieOptions[] = []
  readonly #context: PolicyContext
  /** Cookies of the application that a policy edits or reads. */
  readonly #applications = new Set<string>()

  constructor(context: PolicyContext) {
    this.#context = context
  }

  cookie(path: string, value: unknown): AffinityPolicy {
    const options = parseCookieOptions(path, value)
    if (this.cookies.some(other => cookiesCollide(other, options)) || this.#applications.has(options.name)) {
      throw new OptionError(`${path}.name`, options.name, 'a name that no other cookie under this path has')
    }
    this.cookies.push(options)
    return cookiePolicy(options, this.#context)
  }

  prefix(path: string, value: unknown): AffinityPolicy {
    const options = PREFIX_OPTIONS.parse(path, value)
    this.#claimApplications(`${path}.cookie`, options.cookie)
    return prefixPolicy(options, this.#context)
  }

  learn(path: string, value: unknown): AffinityPolicy {
    const options = parseLearnOptions(path, value)
    if (options.kind === 'cookie') this.#claimApplications(`${path}.cookie`, options.name)
    return learnPolicy(options, this.#context)
  }

  route(path: string, value: unknown): AffinityPolicy {
    return routePolicy(parseRouteOptions(path, value), this.#context.pool)
  }

  /** A cookie of the application's: not one of ours, and of one policy alone, because one could not read the other's edits. */
  #claimApplications(path: string, name: string): void {
    if (this.cookies.some(cookie => cookie.name === name) || this.#applications.has(name)) {
      throw new OptionError(path, name, 'a cookie of the application that no other policy here uses')
    }
    this.#applications.add(name)
  }
}

function isSigned(item: unknown): boolean {
  return isRecord(item) && ('cookie' in item || 'prefix' in item)
}

function isPolicy(value: unknown): value is AffinityPolicy {
  return typeof value === 'object' && value !== null && 'read' in value
}

/** The user's own object, for it may be of a class. */
function checkedPolicy(path: string, policy: AffinityPolicy): AffinityPolicy {
  const { name } = policy
  if (name !== undefined && typeof name !== 'string') throw new OptionError(`${path}.name`, name, 'a text')
  for (const method of ['read', 'write', 'forwardCookie', 'sessions', 'sessionsSeen'] as const) {
    const value: unknown = policy[method]
    if (typeof value !== 'function' && (value !== undefined || method === 'read'))
      throw new OptionError(`${path}.${method}`, value, 'a function')
  }
  return policy
}
