import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'
import { Admin } from './admin/admin.ts'
import { AdminError } from './admin/admin-error.ts'
import type { GatewayConfig } from './config.ts'
import { openLogs } from './log.ts'
import type { Operation, Operations } from './operations.ts'
import type { Members } from './pool-members.ts'
import type { BackendRow, PoolRow } from './pool-stats.ts'
import { logNotStarted, logReload, readAgain, type Reread } from './process.ts'
import type { Changes } from './reload.ts'
import { onSignals } from './signals.ts'
import { sumOfPools, sumOfRows } from './sums.ts'
import type { Message, Order, Reply, Standing } from './worker.ts'

/** Between the deaths of a worker that does not live long: doubles up to the last. */
const LEAST_PAUSE_MS = 100
const MOST_PAUSE_MS = 10_000
/** In which a worker has to answer what it is asked. */
const ANSWER_MS = 5_000

/**
 * A gateway of several processes that share its port. Each has pools and health checks of its own; the cookie is the
 * same in all, so whichever answers brings the session home. @returns the exit code, when all have ended
 */
export async function runWorkers(config: GatewayConfig, isPretty: boolean, reread: Reread): Promise<number> {
  const { log } = openLogs(config, isPretty)
  for (const warning of config.warnings) log.warn({ event: 'warning' }, warning)
  const workers = new Workers(config, log)
  let admin: Admin | undefined
  let listening: { url: string; port: number }
  try {
    listening = await workers.start()
    admin = config.admin && (await Admin.start(workers, config.admin, log))
  } catch (error) {
    await workers.kill()
    logNotStarted(log, error)
    return 1
  }
  const { promise, resolve } = Promise.withResolvers<number>()
  const leave = onSignals({
    end(signal, isAgain) {
      log.info({ event: isAgain ? 'ending_at_once' : 'ending', signal })
      if (isAgain) void workers.kill().then(() => resolve(1))
      else void workers.end().then(() => resolve(0))
    },
    reload() {
      const startedMs = performance.now()
      // Read once, for all of them.
      const next = readAgain(log, reread)
      if (next !== undefined) logReload(log, startedMs, workers.reload(next))
    },
    uncaught(error) {
      log.fatal({ event: 'uncaught', err: error })
      void workers.end().then(() => resolve(1))
    },
  })
  // Whoever reads that may send a signal at once.
  log.info({
    event: 'listening',
    ...listening,
    adminPort: admin?.port,
    adapter: config.adapter,
    pools: config.pools.map(({ name }) => name),
    workers: config.workers,
  })
  const code = await promise
  leave()
  await admin?.close()
  log.info({ event: 'ended', code })
  return code
}

/** The processes, and what an operator wants of all of them. */
class Workers implements Operations {
  readonly #count: number
  readonly #log: Logger
  readonly #secret: string
  /** For a worker that is started later; another object with each change. */
  #standing: Standing
  readonly #ready = new Set<Worker>()
  #number = 0
  isEnding = false

  constructor({ workers, randomSecret, source }: GatewayConfig, log: Logger) {
    this.#count = workers
    this.#standing = { first: source, source, members: undefined }
    this.#log = log
    this.#secret = randomSecret
  }

  /** @throws Error when one of them cannot have the port */
  async start(): Promise<{ url: string; port: number }> {
    const started = await Promise.all(Array.from({ length: this.#count }, async () => this.#fork()))
    const [first] = started
    if (first === undefined) throw new Error('no worker')
    return first
  }

  async stats(): Promise<Readonly<Record<string, PoolRow>>> {
    return sumOfPools((await this.#tellAll({ what: 'stats' })) as Record<string, PoolRow>[])
  }

  async operate(operation: Operation): Promise<BackendRow | undefined> {
    try {
      return sumOfRows((await this.#tellAll({ what: 'operate', operation })) as BackendRow[])
    } finally {
      await this.#noteMembers()
    }
  }

  async reload({ source }: GatewayConfig): Promise<Changes> {
    const [changes = { changed: [], needsRestart: [] }] = await this.#tellAll({ what: 'reload', source })
    this.#standing = { ...this.#standing, source }
    await this.#noteMembers()
    return changes as Changes
  }

  async end(): Promise<void> {
    this.isEnding = true
    const gone = this.#workers().map(async worker => once(worker, 'exit'))
    for (const worker of this.#workers()) worker.send({ number: 0, order: { what: 'end' } } satisfies Message)
    await Promise.all(gone)
  }

  async kill(): Promise<void> {
    this.isEnding = true
    const gone = this.#workers().map(async worker => once(worker, 'exit'))
    for (const worker of this.#workers()) worker.process.kill('SIGKILL')
    await Promise.all(gone)
  }

  /** Any of them knows what was commanded of all. */
  async #noteMembers(): Promise<void> {
    const [worker] = this.#ready
    const members = worker && (await this.#tell(worker, { what: 'members' }).catch(() => undefined))
    if (members !== undefined) this.#standing = { ...this.#standing, members: members as Members }
  }

  #workers(): Worker[] {
    return Object.values(cluster.workers ?? {}).filter(worker => worker?.isDead() === false) as Worker[]
  }

  /** Settles when it listens. */
  async #fork(pauseMs = LEAST_PAUSE_MS): Promise<{ url: string; port: number }> {
    const worker = cluster.fork({ LIMPET_RANDOM_SECRET: this.#secret })
    worker.setMaxListeners(0)
    const startedMs = performance.now()
    const { promise, resolve, reject } = Promise.withResolvers<{ url: string; port: number }>()
    worker.on('message', (reply: Reply) => {
      if ('listening' in reply) resolve(reply.listening)
      else if ('failed' in reply)
        reject(Object.assign(new Error(reply.failed.message), { code: reply.failed.code }))
    })
    worker.once('exit', (code, signal) => {
      reject(new Error(`a worker ended with ${signal ?? code}`))
      const wasReady = this.#ready.delete(worker)
      if (this.isEnding || !wasReady) return
      this.#log.error({ event: 'worker_exited', worker: worker.id, code, signal })
      const isYoung = performance.now() - startedMs < MOST_PAUSE_MS
      this.#mend(isYoung ? pauseMs : LEAST_PAUSE_MS)
    })
    let standing = this.#standing
    worker.send({ number: 0, order: { what: 'start', ...standing } } satisfies Message)
    const listening = await promise
    // What was told to the others meanwhile.
    while (standing !== this.#standing) {
      standing = this.#standing
      const { source, members } = standing
      await this.#tell(worker, { what: 'reload', source })
      if (members !== undefined) await this.#tell(worker, { what: 'restore', members })
    }
    this.#ready.add(worker)
    return listening
  }

  #mend(pauseMs: number): void {
    setTimeout(() => {
      if (this.isEnding) return
      const next = Math.min(2 * pauseMs, MOST_PAUSE_MS)
      this.#fork(next).then(
        () => this.#log.info({ event: 'worker_started' }),
        (error: unknown) => {
          this.#log.error({ event: 'worker_not_started', err: error })
          this.#mend(next)
        },
      )
    }, pauseMs).unref()
  }

  /** What they have to say to it, those who have anything. One that dies over it is replaced by one that knows it. */
  async #tellAll(order: Order): Promise<readonly unknown[]> {
    const replies = [...this.#ready].map(async worker =>
      this.#tell(worker, order).catch((error: unknown) => {
        if (this.#ready.has(worker)) throw error
      }),
    )
    return (await Promise.all(replies)).filter(reply => reply !== undefined)
  }

  /** @throws AdminError when it cannot be done, or there is no answer */
  async #tell(worker: Worker, order: Order): Promise<unknown> {
    this.#number += 1
    const number = this.#number
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const note = (reply: Reply): void => {
      if (!('number' in reply) || reply.number !== number) return
      if ('error' in reply)
        reject(new AdminError(reply.error.statusCode, reply.error.code, reply.error.message))
      else resolve(reply.result)
    }
    const silent = (): void => reject(new AdminError(500, 'INTERNAL', 'a worker did not answer'))
    const timer = setTimeout(silent, ANSWER_MS)
    worker.on('message', note).once('exit', silent)
    try {
      worker.send({ number, order } satisfies Message)
      return await promise
    } finally {
      clearTimeout(timer)
      worker.off('message', note).off('exit', silent)
    }
  }
}
