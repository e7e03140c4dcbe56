import { OptionError } from '@limpet/core'

/** Any logger with these methods: pino, winston, the console. Each call has one argument, a line of text. */
export interface Logger {
  info(message: string): unknown
  warn(message: string): unknown
  error(message: string): unknown
}

const LEVELS = ['info', 'warn', 'error'] as const

/**
 * Checks the option `logger`.
 * @returns undefined where it is absent: the adapter has a default
 * @throws OptionError for a value that is not a logger
 */
export function parseLogger(path: string, value: unknown): Logger | false | undefined {
  if (value === undefined || value === false) return value
  const isLogger =
    typeof value === 'object' &&
    value !== null &&
    LEVELS.every(level => typeof Reflect.get(value, level) === 'function')
  if (!isLogger) throw new OptionError(path, value, 'an object with info, warn and error, or false')
  return value as Logger
}

/**
 * The default of adapters whose framework has no logger: warnings and errors on stderr, as Express and Koa print
 * their own errors.
 */
export const CONSOLE: Logger = {
  info() {},
  warn(message) {
    // oxlint-disable-next-line no-console -- It is the default logger.
    console.warn(message)
  },
  error(message) {
    // oxlint-disable-next-line no-console -- It is the default logger.
    console.error(message)
  },
}
