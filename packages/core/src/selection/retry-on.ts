import { wordError } from '../options/option.ts'
import { compiled, type OptionKind, parsed, parseOption } from '../options/option-kind.ts'
import { list } from '../options/composed-kinds.ts'

/** A cause of another attempt: a kind of failure, or the status of a response from 400 to 599. */
export type RetryCondition = 'connect' | 'reset' | 'timeout' | number

/** The same, compiled. */
export interface RetryOn {
  /** No connection: for every request, because no byte of it was sent. */
  readonly connect: boolean
  /** The connection ended, or the backend was found down, before the head of a response. */
  readonly reset: boolean
  /** No head of a response in time. */
  readonly timeout: boolean
  readonly statuses: ReadonlySet<number>
}

const WORDS: readonly RetryCondition[] = ['connect', 'reset', 'timeout']
const STATUS = { minimum: 400, maximum: 599 }

const CONDITION = parsed<RetryCondition, RetryCondition>(
  `${WORDS.join(', ')}, or a status from ${STATUS.minimum} to ${STATUS.maximum}`,
  parseCondition,
  { anyOf: [{ enum: WORDS }, { type: 'integer', ...STATUS }] },
)

/** HAProxy `retry-on`, nginx `proxy_next_upstream`. */
export const RETRY_ON: OptionKind<readonly RetryCondition[], RetryOn, false> = compiled(
  list(CONDITION, {
    takes: "a list of 'connect', 'reset', 'timeout' and statuses from 400 to 599",
    default: WORDS,
  }),
  conditions => ({
    connect: conditions.includes('connect'),
    reset: conditions.includes('reset'),
    timeout: conditions.includes('timeout'),
    statuses: new Set(conditions.filter(isStatus)),
  }),
)

/** @throws OptionError with every problem */
export function parseRetryOn(path: string, value: unknown): RetryOn {
  return parseOption(RETRY_ON, path, value)
}

function parseCondition(path: string, value: unknown): RetryCondition {
  const found = WORDS.find(one => one === value)
  if (found !== undefined) return found
  if (isStatus(value) && Number.isInteger(value) && value >= STATUS.minimum && value <= STATUS.maximum)
    return value
  throw wordError(path, value, WORDS, CONDITION.takes)
}

function isStatus(condition: unknown): condition is number {
  return typeof condition === 'number'
}
