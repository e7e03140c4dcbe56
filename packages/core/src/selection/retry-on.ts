import { OptionError, optionList } from '../options/option.ts'

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

const TAKES = "a list of 'connect', 'reset', 'timeout' and statuses from 400 to 599"
const DEFAULT = ['connect', 'reset', 'timeout']

/**
 * HAProxy `retry-on`, nginx `proxy_next_upstream`.
 * @throws OptionError naming the option, what it got and what it takes.
 */
export function parseRetryOn(path: string, value: unknown): RetryOn {
  const list = optionList(path, value ?? DEFAULT, TAKES)
  const statuses = new Set<number>()
  for (const [index, item] of list.entries()) {
    if (typeof item === 'number' && Number.isInteger(item) && item >= 400 && item <= 599) statuses.add(item)
    else if (typeof item !== 'string' || !DEFAULT.includes(item))
      throw new OptionError(
        `${path}[${index}]`,
        item,
        "'connect', 'reset', 'timeout' or a status from 400 to 599",
      )
  }
  const [connect = false, reset = false, timeout = false] = DEFAULT.map(kind => list.includes(kind))
  return { connect, reset, timeout, statuses }
}
