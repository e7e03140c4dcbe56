import cluster from 'node:cluster'
import type { Explanation } from '@limpet/core'
import type { EndingPool } from '@limpet/stats'
import type { Logger } from 'pino'
import { AdminError } from '../admin/admin-error.ts'
import type { GatewayConfig } from '../config/config.ts'
import { endingMs } from './deadline.ts'
import type { Logs } from '../logging/log.ts'
import type { Operation, Operations } from '../admin/operations.ts'
import type { Members } from '../reload/pool-members.ts'
import type { Changes } from '../reload/reload.ts'
import { type FleetBackend, mergeBackends, mergePools, type Pools } from './merge-figures.ts'
import { type LearnedTables, learnedTables } from '../serving/learned-stores.ts'
import type { FromWorker } from '../sharing/messages.ts'
import { ParentChecks } from '../sharing/parent-checks.ts'
import { ParentLoads } from '../sharing/parent-loads.ts'
import { ParentSessions } from '../sharing/parent-sessions.ts'
import { reloadAll } from './reload-all.ts'
import { type Listening, SilentWorker, WorkerLink } from './worker-link.ts'
import type { Order, Standing } from './worker.ts'

/** Delays before a worker that died early is replaced: doubles up to the last. */
const MIN_PAUSE_MS = 100
const MAX_PAUSE_MS = 10_000

/** The worker processes, and operations on all of them. */
export class Workers implements Operations {
  readonly #count: number
  readonly #logs: Logs
  readonly #log: Logger
  readonly #secret: string
  /** The pools whose learned sessions all workers share. */
  #shared: ReadonlySet<string>
  /** Their learned sessions. */
  #tables: LearnedTables
  /** The state for a worker that is started later; replaced with each change. */
  #standing: Standing
  readonly #sessions = new ParentSessions()
  readonly #checks = new ParentChecks()
  readonly #loads = new ParentLoads()
  /** Workers whose process has not ended. */
  readonly #links = new Set<WorkerLink>()
  readonly #ready = new Set<WorkerLink>()
  /** The last of the changes and joins, which are made one after the other. It never rejects. */
  #lastTurn: Promise<unknown> = Promise.resolve()
  isEnding = false
  /** Maximum duration of a graceful shutdown. */
  endingMs: number

  constructor(config: GatewayConfig, logs: Logs) {
    const { workers, randomSecret, source } = config
    this.endingMs = endingMs(config)
    this.#count = workers
    this.#standing = { first: source, source, members: undefined }
    this.#logs = logs
    this.#log = logs.log
    this.#secret = randomSecret
    this.#shared = learningPools(config)
    this.#tables = learnedTables(config.pools)
  }

  get isReady(): boolean {
    return [...this.#ready].some(({ isOpen }) => isOpen)
  }

  /** @throws Error when the port is not available to one of them */
  async start(): Promise<Listening> {
    const started = await Promise.all(
      Array.from({ length: this.#count }, async (_, index) => this.#fork(index)),
    )
    const [first] = started
    if (first === undefined) throw new Error('no worker')
    return first
  }

  async stats(): Promise<Pools> {
    return mergePools((await this.#tellAll({ what: 'stats' })) as Pools[], this.#shared)
  }

  async ending(): Promise<readonly EndingPool[]> {
    return ((await this.#tellAll({ what: 'ending' })) as (readonly EndingPool[])[]).flat()
  }

  async logDropped(): Promise<number> {
    const counts = (await this.#tellAll({ what: 'logDropped' })) as number[]
    return counts.reduce((sum, count) => sum + count, this.#logs.dropped)
  }

  async explain(question: Readonly<Record<string, unknown>>): Promise<Explanation> {
    const link = await this.#responsive()
    return (await link.ask({ what: 'explain', question })) as Explanation
  }

  async operate(operation: Operation): Promise<FleetBackend | undefined> {
    return this.#inTurn(async () => {
      try {
        return mergeBackends(await this.#operateAll(operation), this.#shared.has(operation.pool))
      } finally {
        await this.#noteMembers()
      }
    })
  }

  async reload(config: GatewayConfig): Promise<Changes> {
    const { source } = config
    return this.#inTurn(async () => {
      try {
        const changes = await reloadAll([...this.#ready], source, () => {
          this.#standing = { ...this.#standing, source }
          this.endingMs = endingMs(config)
          this.#shared = learningPools(config)
          this.#tables = learnedTables(config.pools)
        })
        await this.#noteMembers()
        return changes ?? { changed: [], needsRestart: [] }
      } finally {
        // Workers that prepare a reload have opened tables for it.
        this.#sessions.retain(this.#tables)
      }
    })
  }

  async end(): Promise<void> {
    this.isEnding = true
    for (const link of this.#links) link.tell({ what: 'end' })
    // A stopped process, or one in an endless loop, reads no order.
    const timer = setTimeout(() => void this.kill(), this.endingMs)
    await this.#gone()
    clearTimeout(timer)
  }

  async kill(): Promise<void> {
    this.isEnding = true
    for (const link of this.#links) link.kill()
    await this.#gone()
  }

  async #gone(): Promise<void> {
    await Promise.all(Array.from(this.#links, async ({ exited }) => exited))
  }

  /**
   * One worker tells the other gateways, and it comes last: the others would hear of it from the store, and find that it
   * is done already. A worker that is stopped or stalled follows the command when it goes on, for the command is in its
   * channel; until then the others act by it.
   */
  async #operateAll(operation: Operation): Promise<readonly FleetBackend[]> {
    const teller = await this.#responsive()
    const others = [...this.#ready].filter(link => link !== teller)
    const order = { what: 'operate', operation } as const
    const told = await Promise.allSettled(
      others.map(async link => this.#tellSlow(link, { ...order, isShared: false })),
    )
    const last = await this.#tell([teller], { ...order, isShared: true })
    return [...told.flatMap(valueOf), ...last] as FleetBackend[]
  }

  /** The worker that responds first. @throws AdminError when none is ready, or none responds within 5 s */
  async #responsive(): Promise<WorkerLink> {
    if (this.#ready.size === 0) throw new AdminError(503, 'NOT_READY', 'no worker is ready; ask again')
    const asked = Array.from(this.#ready, async link => {
      await link.ask({ what: 'hello' })
      return link
    })
    try {
      return await Promise.any(asked)
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error
    }
  }

  async #tellSlow(link: WorkerLink, order: Order): Promise<readonly unknown[]> {
    try {
      return await this.#tell([link], order)
    } catch (error) {
      if (!(error instanceof SilentWorker)) throw error
      this.#log.warn({ event: 'worker_silent', worker: link.worker.id, order: order.what })
      return []
    }
  }

  /** Every worker has the operators' commands, so the first reply counts: one of them may be stopped. */
  async #noteMembers(): Promise<void> {
    const asked = Array.from(this.#ready, async link => link.ask({ what: 'members' }))
    const members = await Promise.any(asked).catch(() => undefined)
    if (members !== undefined) this.#standing = { ...this.#standing, members: members as Members }
  }

  /** Changes that a worker had sent before its end may arrive after it, and still count. */
  #learned(from: WorkerLink, message: FromWorker): void {
    if (message.what === 'changes' || this.#links.has(from)) this.#sessions.receive(from, message)
  }

  /** Resolves when the worker listens. @param index the same as that of the worker that it replaces */
  async #fork(index: number, pauseMs = MIN_PAUSE_MS): Promise<Listening> {
    const startedMs = performance.now()
    const worker = cluster.fork({ LIMPET_RANDOM_SECRET: this.#secret })
    const link = new WorkerLink(worker, {
      sessions: (from, message) => this.#learned(from, message),
      checks: (from, message) => {
        if (this.#links.has(from)) this.#checks.receive(from, message)
      },
      loads: (from, loads) => {
        if (this.#links.has(from)) this.#loads.receive(from, loads)
      },
    })
    this.#links.add(link)
    link.worker.once('exit', (code, signal) => {
      this.#links.delete(link)
      this.#sessions.left(link)
      this.#checks.left(link)
      this.#loads.left(link)
      const wasReady = this.#ready.delete(link)
      if (this.isEnding || !wasReady) return
      this.#log.error({ event: 'worker_exited', worker: link.worker.id, code, signal })
      const isYoung = performance.now() - startedMs < MAX_PAUSE_MS
      this.#mend(index, isYoung ? pauseMs : MIN_PAUSE_MS)
    })
    try {
      return await this.#begin(link, index / this.#count)
    } catch (error) {
      // It may listen already, without the orders that the others were given.
      link.kill()
      throw error
    }
  }

  async #begin(link: WorkerLink, turnsFrom: number): Promise<Listening> {
    const standing = this.#standing
    link.tell({ what: 'start', ...standing, turnsFrom })
    const listening = await link.listening
    await this.#inTurn(async () => this.#join(link, standing))
    return listening
  }

  /** The worker gets the changes since `from`, and each later one. */
  async #join(link: WorkerLink, from: Standing): Promise<void> {
    const { source, members } = this.#standing
    if (from !== this.#standing) {
      await link.ask({ what: 'reload', source })
      if (members !== undefined) await link.ask({ what: 'restore', members })
    }
    // Its end may have come before, and was the end of a worker that was not ready.
    if (!link.isOpen) throw new Error('a worker ended before it was ready')
    this.#ready.add(link)
  }

  /** Makes a change, or lets a worker join: at once, a worker would be neither told of the change nor started with it. */
  async #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(step)
    this.#lastTurn = turn.catch(() => undefined)
    return turn
  }

  #mend(index: number, pauseMs: number): void {
    setTimeout(() => {
      if (this.isEnding) return
      const next = Math.min(2 * pauseMs, MAX_PAUSE_MS)
      this.#fork(index, next).then(
        () => this.#log.info({ event: 'worker_started' }),
        (error: unknown) => {
          this.#log.error({ event: 'worker_not_started', err: error })
          this.#mend(index, next)
        },
      )
    }, pauseMs)
  }

  /** Sends an order to all live workers and returns their replies. A worker that dies over an order is replaced by one that has it. */
  async #tellAll(order: Order): Promise<readonly unknown[]> {
    return this.#tell([...this.#ready], order)
  }

  async #tell(links: readonly WorkerLink[], order: Order): Promise<readonly unknown[]> {
    const replies = links.map(async link =>
      link.ask(order).catch((error: unknown) => {
        if (link.isOpen) throw error
      }),
    )
    return (await Promise.all(replies)).filter(reply => reply !== undefined)
  }
}

/** The pools whose sessions each worker counts for all. */
function learningPools({ pools }: GatewayConfig): ReadonlySet<string> {
  const learning = pools.filter(({ options }) => options.affinity?.some(policy => 'learn' in policy))
  return new Set(learning.map(({ name }) => name))
}

function valueOf(settled: PromiseSettledResult<readonly unknown[]>): readonly unknown[] {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}
