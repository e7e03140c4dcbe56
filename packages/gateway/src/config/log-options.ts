import { boolean, number, optionTable, table, word } from '@limpet/core/options'

/** The log, on the standard output. */
const LOG_OPTIONS = optionTable({
  /** A line for each request. @default true */
  access: boolean({ default: true }),
  /** The share of the requests that get their line, 0 to 1. @default 1 */
  sample: number({ min: 0, max: 1, default: 1 }),
  /** The least level of a line. @default info */
  level: word(['debug', 'info', 'warn', 'error', 'silent'], { default: 'info' }),
})

export const LOG = table(LOG_OPTIONS, {})
