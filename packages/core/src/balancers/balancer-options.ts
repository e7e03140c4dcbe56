import type { Balancer } from './balancer.ts'
import { first } from './first.ts'
import { hashBalancer } from './hash.ts'
import { HASH_OPTIONS, type HashBalancerOptions, type HashContext, parseHashOptions } from './hash-options.ts'
import { leastRequests } from './least-requests.ts'
import { random } from './random.ts'
import { randomTwo } from './random-two.ts'
import { roundRobin } from './round-robin.ts'
import { wordError } from '../options/option.ts'
import { asGiven } from '../options/option-kind.ts'
import { either } from '../options/composed-kinds.ts'
import { word } from '../options/plain-kinds.ts'
import { table } from '../options/option-table.ts'

export type BalancerName = 'round-robin' | 'least-requests' | 'random-two' | 'random' | 'first'

/** A balancer as it is configured: one of ours by its name or its key, or one of the user's. */
export type BalanceOptions = BalancerName | HashBalancerOptions | Balancer

const MAKERS: Readonly<Record<BalancerName, () => Balancer>> = {
  'round-robin': roundRobin,
  'least-requests': leastRequests,
  'random-two': randomTwo,
  random,
  first,
}

/** The balancers that have a name. */
export const BALANCER_NAMES = Object.keys(MAKERS) as readonly BalancerName[]

const TAKES = `one of ${Object.keys(MAKERS).join(', ')}, or { hash }, or { name, pick }`

/** A balancer of a file. */
const IN_FILES = either({
  plain: word(BALANCER_NAMES, {
    takes: `one of ${Object.keys(MAKERS).join(', ')}, or an object with hash`,
  }),
  object: table(HASH_OPTIONS),
})

/** The balancer as an option. It is compiled with the pool. */
export const BALANCE = asGiven<BalanceOptions>(IN_FILES.takes, IN_FILES)

/** @throws OptionError naming the option, the value and the accepted values. */
export function parseBalancer(value: unknown, context: HashContext): Balancer {
  if (isBalancer(value)) return value
  if (typeof value === 'object' && value !== null && 'hash' in value)
    return hashBalancer(context.pool, parseHashOptions('balance', value, context))
  const wanted = value === undefined ? 'round-robin' : value
  const [, make] = Object.entries(MAKERS).find(([name]) => name === wanted) ?? []
  if (make === undefined) throw wordError('balance', value, Object.keys(MAKERS), TAKES)
  return make()
}

function isBalancer(value: unknown): value is Balancer {
  return typeof value === 'object' && value !== null && 'pick' in value && typeof value.pick === 'function'
}
