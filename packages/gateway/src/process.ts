import type { Logger } from 'pino'
import type { Admin } from './admin/admin.ts'
import { startAdmin } from './admin/start-admin.ts'
import type { GatewayConfig } from './config/config.ts'
import { exitAfter } from './workers/deadline.ts'
import { logEvents } from './logging/event-log.ts'
import { Gateway } from './serving/gateway.ts'
import { openLogs } from './logging/log.ts'
import { GatewayOperations } from './admin/operations.ts'
import { Reloads, type Reread } from './reload/reloads.ts'
import { onSignals } from './signals.ts'

/** A gateway in this process alone. @returns the exit code, when it has ended */
export async function runProcess(config: GatewayConfig, isPretty: boolean, reread: Reread): Promise<number> {
  const logs = await openLogs(config, isPretty)
  const { log } = logs
  for (const warning of config.warnings) log.warn({ event: 'warning' }, warning)
  const silence = logEvents(log)
  let gateway: Gateway | undefined
  let admin: Admin | undefined
  try {
    gateway = await Gateway.start(config, logs)
    admin = await startAdmin(new GatewayOperations(gateway, logs), config.admin, log)
  } catch (error) {
    await gateway?.close()
    logNotStarted(log, error)
    await logs.close()
    return 1
  }
  const serving = gateway
  const reloads = new Reloads(config, { log, reread, apply: async next => serving.reload(next) })
  const told = untilTold(log, gateway, reloads)
  // A reader of this line may send a signal at once.
  log.info({
    event: 'listening',
    url: gateway.url,
    port: gateway.port,
    adminPort: admin?.port,
    adapter: config.adapter,
    pools: config.pools.map(({ name }) => name),
  })
  if (config.reload === 'watch') reloads.watch()
  const code = await told
  reloads.close()
  await admin?.close()
  silence()
  await logs.close()
  log.info({ event: 'ended', code })
  await logs.close()
  return code
}

export function logNotStarted(log: Logger, error: unknown): void {
  const { code = '', message } = error as NodeJS.ErrnoException
  log.fatal({ event: 'not_started', code }, message)
}

async function untilTold(log: Logger, gateway: Gateway, reloads: Reloads): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  function end(code: number, ending: Promise<void>): void {
    ending.then(
      () => resolve(code),
      (error: unknown) => {
        log.error({ event: 'ending_failed', err: error })
        resolve(1)
      },
    )
  }
  const leave = onSignals({
    end(signal, isAgain) {
      log.info({ event: isAgain ? 'ending_at_once' : 'ending', signal })
      exitAfter(gateway.endingMs)
      if (isAgain) resolve(1)
      else end(0, gateway.stop())
    },
    reload: () => reloads.signalled(),
    uncaught(error) {
      exitAfter(gateway.endingMs)
      log.fatal({ event: 'uncaught', err: error })
      if (gateway.isEnding) resolve(1)
      else end(1, gateway.close())
    },
  })
  const code = await promise
  leave()
  return code
}
