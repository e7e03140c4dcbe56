import type { Logger } from 'pino'
import { Admin } from './admin/admin.ts'
import { ConfigError, type GatewayConfig } from './config/config.ts'
import { exitAfter } from './workers/deadline.ts'
import { logEvents } from './logging/event-log.ts'
import { Gateway } from './serving/gateway.ts'
import { openLogs } from './logging/log.ts'
import { GatewayOperations } from './admin/operations.ts'
import { problemText } from './config/problem.ts'
import type { Changes } from './reload/reload.ts'
import { ReloadRefused } from './workers/reload-all.ts'
import { onSignals } from './signals.ts'

/** Reads the file again. @throws ConfigError */
export type Reread = () => GatewayConfig

/** A gateway in this process alone. @returns the exit code, when it has ended */
export async function runProcess(config: GatewayConfig, isPretty: boolean, reread: Reread): Promise<number> {
  const logs = openLogs(config, isPretty)
  const { log } = logs
  for (const warning of config.warnings) log.warn({ event: 'warning' }, warning)
  const silence = logEvents(log)
  let gateway: Gateway | undefined
  let admin: Admin | undefined
  try {
    gateway = await Gateway.start(config, logs)
    admin = config.admin && (await Admin.start(new GatewayOperations(gateway, logs), config.admin, log))
  } catch (error) {
    await gateway?.close()
    logNotStarted(log, error)
    await logs.close()
    return 1
  }
  const told = untilTold(log, gateway, reread)
  // A reader of this line may send a signal at once.
  log.info({
    event: 'listening',
    url: gateway.url,
    port: gateway.port,
    adminPort: admin?.port,
    adapter: config.adapter,
    pools: config.pools.map(({ name }) => name),
  })
  const code = await told
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

async function untilTold(log: Logger, gateway: Gateway, reread: Reread): Promise<number> {
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
    reload() {
      const startedMs = performance.now()
      const config = readAgain(log, reread)
      if (config !== undefined) logReload(log, startedMs, gateway.reload(config))
    },
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

/** Logs the result of a reload that began at `startedMs`. */
export function logReload(log: Logger, startedMs: number, reloading: Promise<Changes>): void {
  reloading.then(
    ({ changed, needsRestart }) => {
      log.info({ event: 'reloaded', changed, tookMs: Math.round(performance.now() - startedMs) })
      if (needsRestart.length > 0)
        log.warn(
          { event: 'restart_needed', changed: needsRestart },
          'what is read at the start alone differs',
        )
    },
    (error: unknown) => {
      const why = error instanceof ReloadRefused ? { refusals: error.refusals } : { err: error }
      log.error({ event: 'reload_failed', ...why }, 'nothing has changed')
    },
  )
}

/** The file as it is now; undefined when it is refused, and the log tells why. */
export function readAgain(log: Logger, reread: Reread): GatewayConfig | undefined {
  try {
    return reread()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.problems.map(problemText)
    log.error({ event: 'reload_refused', problems }, 'the file is refused, and nothing has changed')
    return undefined
  }
}
