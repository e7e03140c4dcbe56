import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { GatewayConfig } from './config.ts'

/** JSON lines on the standard output, or lines for people. @param worker which of several processes writes them */
export function newLog({ log: { level } }: GatewayConfig, isPretty: boolean, worker?: number): Logger {
  const base = worker === undefined ? null : { worker }
  return pino({ level, base }, isPretty ? pretty({ sync: true }) : pino.destination({ fd: 1, sync: true }))
}
