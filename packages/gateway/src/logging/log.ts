import pino, { type Logger, type LoggerOptions } from 'pino'
import type { GatewayConfig } from '../config/config.ts'
import { LogOutput } from './log-output.ts'

/** Lines that wait for each other, and how long. */
const MAX_LINES = 64
const FLUSH_MS = 100
/** For the last lines, at the end. */
const CLOSE_MS = 500

/** A line for each request. */
export interface LineLog {
  /** @param line has its own `time`, for it is written later */
  write(line: object): void
}

export interface Logs {
  /** The event log. */
  readonly log: Logger
  readonly access: LineLog
  /** Lines that were dropped, because nothing took them in time. */
  readonly dropped: number
  /** Resolves when the rest is written, or when it cannot be written soon. */
  close(): Promise<void>
}

/** JSON lines on the standard output, or lines for people. @param worker which of several processes writes them */
export async function openLogs(
  { log: { level } }: GatewayConfig,
  isPretty: boolean,
  worker?: number,
): Promise<Logs> {
  const options = { level, base: worker === undefined ? null : { worker } }
  const output = new LogOutput(1, count => log.warn({ event: 'log_dropped', count }))
  const write = isPretty ? await prettyWriter(output) : (text: string): void => output.write(text)
  const log = pino(options, { write })
  const access = new LineBatch(options, write)
  return {
    log,
    access,
    get dropped() {
      return output.dropped
    },
    async close() {
      access.flush()
      await output.flushed(CLOSE_MS)
    },
  }
}

/** Its modules are loaded for people alone. */
async function prettyWriter(output: LogOutput): Promise<(text: string) => void> {
  const { prettyLine } = await import('./pretty-line.ts')
  return text => output.write(prettyLine(text))
}

/**
 * Writes lines in batches, at most a tenth of a second late. Writes between requests would cost twice as much, and
 * delay the response of the next request.
 */
class LineBatch implements LineLog {
  readonly #log: Logger
  #lines: object[] = []
  #timer: NodeJS.Timeout | undefined
  constructor(options: LoggerOptions, write: (text: string) => void) {
    this.#log = pino({ ...options, timestamp: false }, { write })
  }

  write(line: object): void {
    this.#lines.push(line)
    if (this.#lines.length >= MAX_LINES) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref()
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#lines
    this.#lines = []
    for (const line of lines) this.#log.info(line)
  }
}
