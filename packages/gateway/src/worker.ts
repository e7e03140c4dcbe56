import cluster from 'node:cluster'
import { AdminError } from './admin/admin-error.ts'
import type { GatewayConfig } from './config.ts'
import { logEvents } from './event-log.ts'
import { Gateway } from './gateway.ts'
import { openLogs } from './log.ts'
import { GatewayOperations, type Operation } from './operations.ts'
import { PoolStats } from './pool-stats.ts'
import type { Reread } from './process.ts'

/** What a worker is told by the process that has started it. */
export type Order =
  | { readonly what: 'stats' | 'reload' | 'end' }
  | { readonly what: 'operate'; readonly operation: Operation }

export interface Message {
  readonly number: number
  readonly order: Order
}

/** What a worker says: where it listens, first; then a reply to each message. */
export type Reply =
  | { readonly listening: { readonly url: string; readonly port: number } }
  | { readonly failed: { readonly code: string; readonly message: string } }
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: Told }

interface Told {
  readonly statusCode: number
  readonly code: string
  readonly message: string
}

/**
 * One of several processes that share a port. It hears of signals from its parent alone: a terminal tells all of a
 * group, and twice would be at once.
 * @returns the exit code
 */
export async function runWorker(config: GatewayConfig, isPretty: boolean, reread: Reread): Promise<number> {
  const logs = openLogs(config, isPretty, cluster.worker?.id)
  const { log } = logs
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  const stats = new PoolStats()
  logEvents(log)
  let gateway: Gateway
  try {
    gateway = await Gateway.start(config, logs.access)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    say({ failed: { code, message } })
    return 1
  }
  const operations = new GatewayOperations(gateway, stats)
  const { promise, resolve } = Promise.withResolvers<number>()

  async function obey(order: Order): Promise<unknown> {
    switch (order.what) {
      case 'stats':
        return operations.stats()
      case 'operate':
        return operations.operate(order.operation)
      case 'reload':
        return gateway.reload(reread())
      case 'end':
        return end(0)
    }
  }

  async function end(code: number): Promise<void> {
    if (gateway.isClosing) return
    await gateway.close()
    logs.close()
    resolve(code)
  }

  process.on('message', ({ number, order }: Message) => {
    obey(order).then(
      result => say({ number, result }),
      (error: unknown) => say({ number, error: told(error) }),
    )
  })
  // Whoever has started it is gone.
  process.on('disconnect', () => void end(1))
  process.on('uncaughtException', error => {
    log.fatal({ event: 'uncaught', err: error })
    void end(1)
  })
  const { url, port } = gateway
  say({ listening: { url, port } })
  return promise
}

function say(reply: Reply): void {
  if (process.connected) process.send?.(reply)
}

function told(error: unknown): Told {
  if (error instanceof AdminError) {
    const { statusCode, code, message } = error
    return { statusCode, code, message }
  }
  return { statusCode: 500, code: 'INTERNAL', message: String(error) }
}
