import { OptionError } from '@limpet/core'
import { boolean, list, number, optionTable, parsed, table, text, word } from '@limpet/core/options'

/** Statuses of a class, or one of them. */
export type SkippedStatus = number | '1xx' | '2xx' | '3xx' | '4xx' | '5xx'

const STATUS_TAKES = 'a status from 100 to 599, or one of 1xx, 2xx, 3xx, 4xx, 5xx'
const STATUS = parsed<SkippedStatus, SkippedStatus | undefined>(
  STATUS_TAKES,
  (path, value) => {
    if (value === undefined) return undefined
    const isOne = typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599
    if (!isOne && !(typeof value === 'string' && /^[1-5]xx$/.test(value)))
      throw new OptionError(path, value, STATUS_TAKES)
    return value as SkippedStatus
  },
  {
    anyOf: [{ type: 'integer', minimum: 100, maximum: 599 }, { enum: ['1xx', '2xx', '3xx', '4xx', '5xx'] }],
  },
)

/** Requests without a line in the log. */
const SKIP_OPTIONS = optionTable(
  {
    /** Their path: `/health` is that path, `/assets/` all paths below it. @default any */
    path: text({ pattern: /^\/[!-"$->@-~]*$/, takes: 'a path that begins with /, without a query' }),
    /** The status of the response: one, or a class as `2xx`. @default any */
    status: STATUS,
  },
  function* ({ path, status }, at) {
    if (path === undefined && status === undefined)
      yield new OptionError(at(), {}, '', 'needs a path, a status or both')
  },
)

/** The log, on the standard output. */
const LOG_OPTIONS = optionTable({
  /** A line for each request. @default true */
  access: boolean({ default: true }),
  /** The share of the requests that get their line, 0 to 1. @default 1 */
  sample: number({ min: 0, max: 1, default: 1 }),
  /** Requests that get no line, as checks of a load balancer. @default [] */
  skip: list(table(SKIP_OPTIONS), { takes: 'a list of { path, status }', default: [] }),
  /** The least level of a line. @default info */
  level: word(['debug', 'info', 'warn', 'error', 'silent'], { default: 'info' }),
})

export const LOG = table(LOG_OPTIONS, {})
