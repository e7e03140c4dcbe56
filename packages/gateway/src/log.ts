import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { GatewayConfig } from './config.ts'

/** A pipe takes so much at once (PIPE_BUF), and workers share one: what is longer could be mixed. */
const MOST_CHUNK_BYTES = 4_096
/** Of a line of the access log, with room to spare. */
const LONGEST_LINE_BYTES = 1_024
const FLUSH_MS = 100

export interface Logs {
  /** What happens, line by line. */
  readonly log: Logger
  /** A line for each request: many at a time, for each is a system call; at most a tenth of a second late. */
  readonly access: Logger
  /** Writes what is left. */
  close(): void
}

/** JSON lines on the standard output, or lines for people. @param worker which of several processes writes them */
export function openLogs({ log: { level } }: GatewayConfig, isPretty: boolean, worker?: number): Logs {
  const options = { level, base: worker === undefined ? null : { worker } }
  if (isPretty) {
    const log = pino(options, pretty({ sync: true }))
    return { log, access: log, close: () => undefined }
  }
  const buffered = pino.destination({ fd: 1, sync: true, minLength: MOST_CHUNK_BYTES - LONGEST_LINE_BYTES })
  const timer = setInterval(() => buffered.flushSync(), FLUSH_MS).unref()
  return {
    log: pino(options, pino.destination({ fd: 1, sync: true })),
    access: pino(options, buffered),
    close() {
      clearInterval(timer)
      buffered.flushSync()
    },
  }
}
