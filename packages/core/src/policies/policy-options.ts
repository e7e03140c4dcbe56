import { withoutCookie } from '../http/cookie-header.ts'
import { PIN_FIELD } from '../http/own-fields.ts'
import { cookiesCollide, type WrittenCookie } from '../http/cookie-path.ts'
import type { FieldForwarding } from '../http/request-lines.ts'
import { asGiven, attempt, type InOf } from '../options/option-kind.ts'
import { list, oneOf } from '../options/composed-kinds.ts'
import { isRecord, OptionError, optionList, optionObject, throwAll } from '../options/option.ts'
import { checkedPolicy, isPolicy } from './checked-policy.ts'
import { fieldForwarding } from './field-forwarding.ts'
import type { AffinityPolicy, PolicyContext } from './policy.ts'
import type { PolicyKind, UsedCookie } from './policy-kind.ts'
import * as REGISTRY from './policy-registry.ts'

type Word = keyof typeof REGISTRY

/** One of limpet's policies by its word, as `{ cookie: {} }`. */
type NamedPolicy = {
  [W in Word]: { readonly [K in W]: InOf<(typeof REGISTRY)[W]['options']> }
}[Word]

/** A policy as it is configured: one of limpet's by its word, one of the user's, or a function that makes one for its pool. */
export type PolicyOptions = NamedPolicy | AffinityPolicy | ((context: PolicyContext) => AffinityPolicy)

const KINDS: Readonly<Record<string, PolicyKind<unknown>>> = REGISTRY
const WORDS = Object.keys(KINDS)

/** The list of policies. They are compiled with the pool. */
export const POLICIES = asGiven<readonly PolicyOptions[]>(
  'a list of policies',
  list(oneOf(Object.fromEntries(Object.entries(KINDS).map(([word, { options }]) => [word, options]))), {
    takes: 'a list of policies',
  }),
)

export interface Policies {
  readonly policies: readonly AffinityPolicy[]
  /** The cookies that are ours alone. */
  readonly cookies: readonly WrittenCookie[]
  readonly forwarding: FieldForwarding
}

const DEFAULT = [{ cookie: {} }] as const
const TAKES = `a list of policies, each with one of ${WORDS.join(', ')}, or { read, write }, or a function that returns one`

/** The cookie of a pin is for limpet alone. */
const PIN_COOKIE: AffinityPolicy = {
  read: () => [],
  forwardHeaders: { cookie: line => withoutCookie(line, PIN_FIELD) },
}

/** @throws OptionError naming the option, the value and the accepted values. */
export function parsePolicies(value: unknown, context: PolicyContext): Policies {
  const used: UsedCookie[] = []
  const users = new Set<AffinityPolicy>()
  const errors: OptionError[] = []
  const policies = optionList('affinity', value ?? DEFAULT, TAKES).flatMap((item, index) => {
    // A wrong option of a policy does not hide a wrong secret.
    if (isSigned(item)) attempt(() => context.secrets, errors)
    const path = `affinity[${index}]`
    const isUsers = typeof item === 'function' || isPolicy(item)
    const policy = attempt(
      () => (isUsers ? usersPolicy(path, item, context) : namedPolicy(path, item, context, used)),
      errors,
    )
    if (policy === undefined) return []
    if (isUsers) users.add(policy)
    return [policy]
  })
  throwAll(errors)
  return {
    policies,
    cookies: used.flatMap(({ own }) => own ?? []),
    forwarding: fieldForwarding([...policies, PIN_COOKIE], users),
  }
}

function usersPolicy(path: string, item: unknown, context: PolicyContext): AffinityPolicy {
  return checkedPolicy(
    path,
    typeof item === 'function' ? (item as (given: PolicyContext) => unknown)(context) : item,
  )
}

/** @param used the cookies of the policies before it; that of this one is added */
function namedPolicy(
  path: string,
  item: unknown,
  context: PolicyContext,
  used: UsedCookie[],
): AffinityPolicy {
  const given = optionObject(path, item, WORDS)
  const [word = '', ...others] = WORDS.filter(one => given[one] !== undefined)
  const kind = KINDS[word]
  if (kind === undefined || others.length > 0) throw new OptionError(path, item, TAKES)
  const plan = kind.parse(`${path}.${word}`, given[word])
  if (plan.cookie !== undefined) use(`${path}.${word}`, plan.cookie, used)
  return plan.make(context)
}

function use(path: string, cookie: UsedCookie, used: UsedCookie[]): void {
  if (used.some(other => isSame(cookie, other))) {
    const takes =
      cookie.own === undefined
        ? 'a cookie of the application that no other policy here uses'
        : 'a name that no other cookie under this path has'
    throw new OptionError(`${path}.${cookie.option}`, cookie.name, takes)
  }
  used.push(cookie)
}

function isSame(one: UsedCookie, other: UsedCookie): boolean {
  if (one.own === undefined || other.own === undefined) return one.name === other.name
  return cookiesCollide(one.own, other.own)
}

function isSigned(item: unknown): boolean {
  return isRecord(item) && WORDS.some(word => word in item && KINDS[word]?.isSigned === true)
}
