import { type CookieOptions, type CookiePolicyOptions, parseCookieOptions } from './cookie/cookie-options.ts'
import { cookiesCollide } from './cookie/cookie-path.ts'
import { cookiePolicy } from './cookie/cookie-policy.ts'
import { OptionError, optionList, optionObject } from './option.ts'
import type { AffinityPolicy, PolicyContext } from './policy.ts'
import { parseRouteOptions, type RoutePolicyOptions, routePolicy } from './route-policy.ts'

/** A policy as it is configured: one of ours by its word, or one of the user's. */
export type PolicyOptions =
  | { readonly cookie: CookiePolicyOptions }
  | { readonly route: RoutePolicyOptions }
  | AffinityPolicy

export interface Policies {
  readonly policies: readonly AffinityPolicy[]
  /** The cookies that are ours alone. */
  readonly cookies: readonly CookieOptions[]
}

const DEFAULT = [{ cookie: {} }] as const
const WORDS = ['cookie', 'route'] as const
const TAKES = `a list of policies, each with one of ${WORDS.join(', ')}, or { name, read, write }`

/** @throws OptionError naming the option, what it got and what it takes. */
export function parsePolicies(value: unknown, context: PolicyContext): Policies {
  const cookies: CookieOptions[] = []
  const policies = optionList('affinity', value ?? DEFAULT, TAKES).map((item, index) => {
    const path = `affinity[${index}]`
    if (isPolicy(item)) return item
    const given = optionObject(path, item, WORDS)
    const [word, ...others] = WORDS.filter(one => given[one] !== undefined)
    if (word === undefined || others.length > 0) throw new OptionError(path, item, TAKES)
    const at = `${path}.${word}`
    if (word === 'route') return routePolicy(parseRouteOptions(at, given[word]), context.pool)
    const options = parseCookieOptions(at, given[word])
    if (cookies.some(other => cookiesCollide(other, options))) {
      throw new OptionError(`${at}.name`, options.name, 'a name that no other cookie under this path has')
    }
    cookies.push(options)
    return cookiePolicy(options, context)
  })
  return { policies, cookies }
}

function isPolicy(value: unknown): value is AffinityPolicy {
  return typeof value === 'object' && value !== null && 'read' in value && typeof value.read === 'function'
}
