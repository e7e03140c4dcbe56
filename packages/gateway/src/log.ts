import pino, { type Logger, type LoggerOptions } from 'pino'
import pretty from 'pino-pretty'
import type { GatewayConfig } from './config.ts'

/** A pipe takes 4 KiB at once (PIPE_BUF), and workers share one: what is longer could be mixed. Not all is ASCII. */
const MOST_CHUNK_LENGTH = 3_072
/** Lines that wait for each other, and how long. */
const MOST_LINES = 64
const FLUSH_MS = 100

/** A line for each request. */
export interface LineLog {
  /** @param line has its own `time`, for it is written later */
  write(line: object): void
}

export interface Logs {
  /** What happens, line by line. */
  readonly log: Logger
  readonly access: LineLog
  /** Writes what is left. */
  close(): void
}

/** JSON lines on the standard output, or lines for people. @param worker which of several processes writes them */
export function openLogs({ log: { level } }: GatewayConfig, isPretty: boolean, worker?: number): Logs {
  const options = { level, base: worker === undefined ? null : { worker } }
  if (isPretty) {
    const stream = pretty({ sync: true })
    const access = pino({ ...options, timestamp: false }, stream)
    return {
      log: pino(options, stream),
      access: { write: line => access.info(line) },
      close: () => undefined,
    }
  }
  const output = pino.destination({ fd: 1, sync: true })
  const access = new LineBatch(options, text => output.write(text))
  return { log: pino(options, output), access, close: () => access.flush() }
}

/**
 * Writes lines many at a time, at most a tenth of a second late. In between requests each would cost twice as much, and
 * the client whose answer waits for it as well.
 */
class LineBatch implements LineLog {
  readonly #log: Logger
  readonly #output: (text: string) => void
  #lines: object[] = []
  #timer: NodeJS.Timeout | undefined
  /** Of the lines that are being written, what is to be written next. */
  #chunk = ''

  constructor(options: LoggerOptions, output: (text: string) => void) {
    this.#output = output
    this.#log = pino({ ...options, timestamp: false }, { write: text => this.#append(text) })
  }

  write(line: object): void {
    this.#lines.push(line)
    if (this.#lines.length >= MOST_LINES) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref()
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#lines
    this.#lines = []
    for (const line of lines) this.#log.info(line)
    this.#pass()
  }

  #append(text: string): void {
    if (this.#chunk.length + text.length > MOST_CHUNK_LENGTH) this.#pass()
    this.#chunk += text
  }

  #pass(): void {
    if (this.#chunk !== '') this.#output(this.#chunk)
    this.#chunk = ''
  }
}
