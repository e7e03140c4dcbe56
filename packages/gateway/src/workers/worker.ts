import cluster from 'node:cluster'
import { once } from 'node:events'
import { AdminError } from '../admin/admin-error.ts'
import { ConfigError, type ConfigSource } from '../config/config.ts'
import { parseConfig } from '../config/config-file.ts'
import { exitAfter } from './deadline.ts'
import { logEvents } from '../logging/event-log.ts'
import { Gateway } from '../serving/gateway.ts'
import { openLogs } from '../logging/log.ts'
import { GatewayOperations, type Operation } from '../admin/operations.ts'
import type { ChecksFromParent, ChecksFromWorker } from '../sharing/check-messages.ts'
import type { FromParent, FromWorker } from '../sharing/messages.ts'
import type { Loads } from '../sharing/load-messages.ts'
import { WorkerChecks } from '../sharing/worker-checks.ts'
import { WorkerLoads } from '../sharing/worker-loads.ts'
import { WorkerSessions } from '../sharing/worker-sessions.ts'
import type { Members } from '../reload/pool-members.ts'
import type { PreparedReload } from '../reload/prepared-reload.ts'
import { reloaded } from '../reload/reload.ts'

/** An order from the parent to a worker. */
export type Order =
  /** `turnsFrom`: where its turns of `round-robin` begin, from 0 to below 1. */
  | ({ readonly what: 'start'; readonly turnsFrom: number } & Standing)
  | { readonly what: 'reload'; readonly source: ConfigSource }
  /** The first half of a reload of all workers, which `commit` or `abort` ends. */
  | { readonly what: 'prepare'; readonly source: ConfigSource }
  | { readonly what: 'restore'; readonly members: Members }
  /** `isShared`: this worker is the one that tells other gateways. */
  | { readonly what: 'operate'; readonly operation: Operation; readonly isShared: boolean }
  | { readonly what: 'explain'; readonly question: Readonly<Record<string, unknown>> }
  /** `hello`: reply, for the parent asks which worker responds. */
  | { readonly what: 'commit' | 'abort' | 'stats' | 'ending' | 'logDropped' | 'members' | 'hello' | 'end' }

/** State that all workers share. */
export interface Standing {
  /** The configuration with which the gateway has started: some of it stays. */
  readonly first: ConfigSource
  /** The configuration that was read last. */
  readonly source: ConfigSource
  /** The members of the pools, with operators' commands; undefined: there were no commands. */
  readonly members: Members | undefined
}

export interface Message {
  readonly number: number
  readonly order: Order
}

/** A message about learned sessions. */
export interface SessionsMessage<T> {
  readonly sessions: T
}

/** A message about health checks. */
export interface ChecksMessage<T> {
  readonly checks: T
}

/** A message about requests in flight. */
export interface LoadsMessage {
  readonly loads: Loads
}

/** All that a parent sends to a worker. */
type FromParentProcess =
  | Message
  | SessionsMessage<FromParent>
  | ChecksMessage<ChecksFromParent>
  | LoadsMessage

/** A message from a worker: first its address, then a reply to each message. */
export type Reply =
  | SessionsMessage<FromWorker>
  | ChecksMessage<ChecksFromWorker>
  | LoadsMessage
  | { readonly listening: { readonly url: string; readonly port: number } }
  | { readonly failed: { readonly code: string; readonly message: string } }
  | { readonly number: number; readonly result?: unknown }
  | { readonly number: number; readonly error: OrderError }

interface OrderError {
  readonly statusCode: number
  readonly code: string
  readonly message: string
}

/**
 * One of several processes that share a port. It takes its orders from its parent, signals included: a terminal sends
 * a signal to the whole process group, and a second one would end the worker at once.
 * @returns the exit code
 */
export async function runWorker(isPretty: boolean): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  // The parent is gone. (Node would end the worker too, if the channel had no listener for a moment.)
  process.on('disconnect', orphaned)
  const early: Message[] = []
  let receive = (message: Message): void => void early.push(message)
  process.on('message', (message: FromParentProcess) => {
    if ('number' in message) receive(message)
  })
  await once(process, 'message')
  const start = early.shift()?.order
  if (start?.what !== 'start') throw new Error(`told to ${start?.what} before it has started`)
  const config = reloaded(parseConfig(start.first), parseConfig(start.source))
  const logs = await openLogs(config, isPretty, cluster.worker?.id)
  const { log } = logs
  logEvents(log)
  const sessions = new WorkerSessions(config.randomSecret, message => say({ sessions: message }))
  const loads = new WorkerLoads((changed, written) => say({ loads: changed }, written))
  const checks = new WorkerChecks(message => say({ checks: message }))
  process.on('message', (message: FromParentProcess) => {
    if ('sessions' in message) sessions.receive(message.sessions)
    else if ('checks' in message) checks.receive(message.checks)
    else if ('loads' in message) loads.receive(message.loads)
  })
  let gateway: Gateway
  try {
    gateway = await Gateway.start(config, logs, start.members, {
      sessions,
      checks,
      loads,
      turnsFrom: start.turnsFrom,
    })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    say({ failed: { code, message } })
    return 1
  }
  const operations = new GatewayOperations(gateway, logs)
  const { promise, resolve } = Promise.withResolvers<number>()
  let prepared: Promise<PreparedReload> | undefined

  async function obey(order: Order): Promise<unknown> {
    switch (order.what) {
      case 'stats':
        return operations.stats()
      case 'operate':
        return operations.operate(order.operation, order.isShared)
      case 'explain':
        return operations.explain(order.question)
      case 'ending':
        return operations.ending()
      case 'hello':
        return true
      case 'logDropped':
        return operations.logDropped()
      case 'members':
        return gateway.members
      case 'restore':
        return gateway.restore(order.members)
      case 'reload':
        return gateway.reload(parseConfig(order.source))
      case 'prepare':
        prepared = undefined
        prepared = gateway.prepare(parseConfig(order.source))
        return (await prepared).changes
      case 'commit':
        return (await prepared)?.commit()
      case 'abort':
        return (await prepared?.catch(() => undefined))?.abort()
      case 'end':
        return end(0, async () => gateway.stop())
      case 'start':
        throw new Error('it has started')
    }
  }

  async function end(code: number, how = async () => gateway.close()): Promise<void> {
    exitAfter(gateway.endingMs)
    if (gateway.isEnding) return
    await how()
    await logs.close()
    resolve(code)
  }

  receive = ({ number, order }) => {
    obey(order).then(
      result => say({ number, result }),
      (error: unknown) => say({ number, error: orderError(error) }),
    )
  }
  process.on('disconnect', () => void end(1)).off('disconnect', orphaned)
  process.on('uncaughtException', error => {
    exitAfter(gateway.endingMs)
    log.fatal({ event: 'uncaught', err: error })
    if (gateway.isEnding) resolve(1)
    else void end(1)
  })
  const { url, port } = gateway
  say({ listening: { url, port } })
  // A gateway that was told to end while this worker was starting would wait for it.
  for (const message of early) receive(message)
  return promise
}

function orphaned(): void {
  process.exit(1)
}

/** A parent that dies meanwhile is noticed by `disconnect`; the failed write is no error of this worker. */
function say(reply: Reply, written: () => void = () => undefined): void {
  if (process.connected) process.send?.(reply, undefined, undefined, () => written())
}

function orderError(error: unknown): OrderError {
  if (error instanceof AdminError) {
    const { statusCode, code, message } = error
    return { statusCode, code, message }
  }
  const message = error instanceof ConfigError ? error.message : String(error)
  return { statusCode: 500, code: 'INTERNAL', message }
}
