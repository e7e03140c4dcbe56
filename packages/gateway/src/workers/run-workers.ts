import type { Admin } from '../admin/admin.ts'
import { startAdmin } from '../admin/start-admin.ts'
import type { GatewayConfig } from '../config/config.ts'
import { openLogs } from '../logging/log.ts'
import { logNotStarted } from '../process.ts'
import { Reloads, type Reread } from '../reload/reloads.ts'
import { onSignals } from '../signals.ts'
import { exitAfter } from './deadline.ts'
import { Workers } from './workers.ts'

/**
 * A gateway of several processes that share its port. Each has pools and health checks of its own. The cookie is the
 * same in all, so each of them finds the session's backend. @returns the exit code, when all have ended
 */
export async function runWorkers(config: GatewayConfig, isPretty: boolean, reread: Reread): Promise<number> {
  const logs = await openLogs(config, isPretty)
  const { log } = logs
  for (const warning of config.warnings) log.warn({ event: 'warning' }, warning)
  const workers = new Workers(config, logs)
  // The file is read once, for all of them.
  const reloads = new Reloads(config, { log, reread, apply: async next => workers.reload(next) })
  const { promise, resolve } = Promise.withResolvers<number>()
  // First of all: a signal that has no listener yet would end this process, and leave the workers behind.
  const leave = onSignals({
    end(signal, isAgain) {
      log.info({ event: isAgain ? 'ending_at_once' : 'ending', signal })
      if (isAgain) void workers.kill().then(() => resolve(1))
      else void workers.end().then(() => resolve(0))
    },
    reload: () => reloads.signalled(),
    uncaught(error) {
      // By then the workers have been killed.
      exitAfter(workers.endingMs + 1_000)
      log.fatal({ event: 'uncaught', err: error })
      void (workers.isEnding ? workers.kill() : workers.end()).then(() => resolve(1))
    },
  })
  let admin: Admin | undefined
  try {
    const listening = await workers.start()
    if (!workers.isEnding) {
      admin = await startAdmin(workers, config.admin, log)
      log.info({
        event: 'listening',
        ...listening,
        adminPort: admin?.port,
        adapter: config.adapter,
        pools: config.pools.map(({ name }) => name),
        workers: config.workers,
      })
      if (config.reload === 'watch') reloads.watch()
    }
  } catch (error) {
    // A worker that was told to end has not failed.
    if (!workers.isEnding) {
      await workers.kill()
      leave()
      logNotStarted(log, error)
      await logs.close()
      return 1
    }
  }
  const code = await promise
  leave()
  reloads.close()
  await admin?.close()
  log.info({ event: 'ended', code })
  await logs.close()
  return code
}
