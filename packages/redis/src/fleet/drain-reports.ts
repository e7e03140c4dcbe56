import { randomBytes } from 'node:crypto'
import type { Drain, Pool } from '@limpet/core'
import type { Client } from '../connection/connection.ts'
import { DeadlineError, within } from '../connection/within.ts'
import {
  type DrainingBackend,
  type DrainReport,
  MAX_REPORTED,
  needsBackend,
  SEALED_REPORTS,
} from './drain-report.ts'
import { Seal } from './seal.ts'
import type { SharedCommands } from './shared-commands.ts'

/** A drain of one backend in all gateways. */
export interface FleetDrain {
  /** Processes whose drain goes on. Each worker of a gateway is one. */
  readonly processes: number
  /** Requests that the backend has now, tunnels among them. */
  readonly inFlight: number
  readonly tunnels: number
  /** The most live sessions that one process counts; undefined: one does not count them. Two may count the same session. */
  readonly sessions: number | undefined
}

export interface DrainReportsSettings {
  readonly prefix: string
  readonly secrets: readonly Uint8Array[]
}

/** The last report of another process. */
interface Known {
  readonly report: DrainReport
  /** When it came, by the monotonic clock here: clocks of gateways do not matter. */
  readonly atMs: number
}

/** A drain here that waits for the other gateways. */
interface Waiting {
  readonly drain: Drain
  readonly sinceMs: number
}

const EVERY_MS = 1_000
const TIMEOUT_MS = 1_000
/** Time for the others to hear of the drain and to report. */
const SETTLE_MS = 2_000
/** A process that has not reported for this long has ended, or cannot reach Redis. It counts no more. */
const SILENT_MS = 10_000
/** Redis forgets the reports when no process has written one for this long. */
const EXPIRE_MS = 60_000
/** A hash of ours has one field for each process that drains. */
const MAX_PROCESSES = 10_000

/** Tells the other gateways what is left of the drains here, and holds these until the others have nothing left either. */
export class DrainReports {
  readonly #pool: Pool
  readonly #shared: SharedCommands
  readonly #key: string
  readonly #process = randomBytes(6).toString('base64url')
  readonly #seal: Seal<DrainReport>
  readonly #unwatch: () => void
  readonly #others = new Map<string, Known>()
  readonly #waiting = new Map<string, Waiting>()
  #rev = 0
  #isWritten = false
  #isExchanging = false
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(pool: Pool, shared: SharedCommands, { prefix, secrets }: DrainReportsSettings) {
    this.#pool = pool
    this.#shared = shared
    this.#key = `${prefix}:{${pool.name}}:d`
    this.#seal = new Seal(secrets, pool.name, SEALED_REPORTS)
    // The pool tells of a state before its drain begins, and a drain looks for its end in a later microtask than this.
    this.#unwatch = pool.watch(() => queueMicrotask(() => this.#look()))
  }

  /** Undefined when no process drains the backend, or has requests left of a drain. */
  drainOf(id: string): FleetDrain | undefined {
    const all = [...this.#ours(id), ...this.#theirs(id)]
    if (all.length === 0) return undefined
    const sessions = all.map(one => one.sessions)
    return {
      processes: all.filter(({ isDraining }) => isDraining).length,
      inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
      tunnels: all.reduce((sum, { tunnels }) => sum + tunnels, 0),
      sessions: sessions.includes(undefined) ? undefined : Math.max(...sessions.map(count => count ?? 0)),
    }
  }

  close(): void {
    this.#isClosed = true
    this.#unwatch()
    clearTimeout(this.#timer)
    for (const { drain } of this.#waiting.values()) drain.hold(false)
    this.#waiting.clear()
  }

  /** Finds the drains that have begun. */
  #look(): void {
    if (this.#isClosed) return
    let isNews = false
    for (const { backend, state } of this.#pool.backends) {
      const drain = state === 'drain' ? this.#commandedDrain(backend.id) : undefined
      if (drain === undefined || this.#waiting.get(backend.id)?.drain === drain) continue
      drain.hold(true)
      this.#waiting.set(backend.id, { drain, sinceMs: performance.now() })
      isNews = true
    }
    if (isNews) this.#exchangeSoon(0)
  }

  /** A drain of this gateway alone concerns no other. */
  #commandedDrain(id: string): Drain | undefined {
    return this.#shared.command(id)?.state === 'drain' ? this.#pool.drainOf(id) : undefined
  }

  #exchangeSoon(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#exchange(), ms).unref()
  }

  async #exchange(): Promise<void> {
    // The one under way is followed by another.
    if (this.#isExchanging) return
    this.#isExchanging = true
    const isKnown = await this.#ask()
    this.#isExchanging = false
    if (this.#isClosed) return
    this.#settle(isKnown)
    const isOver = this.#waiting.size === 0 && this.#others.size === 0 && !this.#isWritten
    if (!isOver) this.#exchangeSoon(EVERY_MS)
  }

  /** Writes our report, and reads those of the others. Returns whether Redis has taken part. */
  async #ask(): Promise<boolean> {
    const { connection, states } = this.#shared
    const { client } = connection
    if (client === undefined) return false
    try {
      const [, values] = await within(
        TIMEOUT_MS,
        Promise.all([this.#write(client), client.hGetAll(this.#key)]),
      )
      for (const [field, value] of Object.entries(values)) this.#take(field, value)
      this.#forget(client, values)
      states.accepted('drain reports')
      return true
    } catch (error) {
      if (error instanceof DeadlineError) connection.failed(error)
      else states.refused('drain reports', error)
      return false
    }
  }

  async #write(client: Client): Promise<void> {
    const backends = this.#pool.backends
      .flatMap(({ backend }) => this.#ours(backend.id))
      .slice(0, MAX_REPORTED)
    const isWritten = this.#isWritten
    this.#isWritten = backends.length > 0
    if (backends.length > 0) {
      this.#rev += 1
      const report = { process: this.#process, rev: this.#rev, backends }
      await Promise.all([
        client.hSet(this.#key, this.#process, this.#seal.seal(report)),
        client.pExpire(this.#key, EXPIRE_MS),
      ])
    } else if (isWritten) {
      await client.hDel(this.#key, this.#process)
    }
  }

  #take(field: string, value: string): void {
    if (field === this.#process) return
    const report = this.#seal.open(value)
    if (report?.process !== field) {
      this.#shared.states.badValue('a drain report was sealed with another secret')
      return
    }
    const known = this.#others.get(field)
    if (known !== undefined ? report.rev <= known.report.rev : this.#others.size >= MAX_PROCESSES) return
    this.#others.set(field, { report, atMs: performance.now() })
  }

  /** Forgets the processes that have nothing left, or that have ended. */
  #forget(client: Client, values: Readonly<Record<string, string>>): void {
    for (const [field, known] of this.#others) {
      const isSilent = performance.now() - known.atMs > EXPIRE_MS
      if (Object.hasOwn(values, field) && !isSilent) continue
      this.#others.delete(field)
      if (isSilent) client.hDel(this.#key, field).catch(() => undefined)
    }
  }

  /** Ends the drains that no process needs any more. */
  #settle(isKnown: boolean): void {
    const nowMs = performance.now()
    for (const [id, { drain, sinceMs }] of this.#waiting) {
      if (this.#pool.drainOf(id) === drain) {
        const isNeeded = this.#theirs(id).some(needsBackend)
        drain.hold(!isKnown || isNeeded || nowMs - sinceMs < SETTLE_MS)
      }
      if (this.#pool.drainOf(id) !== drain) this.#waiting.delete(id)
    }
  }

  #ours(id: string): DrainingBackend[] {
    const view = this.#pool.find(id)
    if (view === undefined || this.#shared.command(id)?.state !== 'drain') return []
    const { inFlight, tunnels } = view
    const isDraining = this.#pool.drainOf(id) !== undefined
    if (!isDraining && inFlight === 0) return []
    const sessions = this.#pool.sessionsOf(id)
    return [{ id, isDraining, inFlight, tunnels, ...(sessions !== undefined && { sessions }) }]
  }

  #theirs(id: string): DrainingBackend[] {
    const sinceMs = performance.now() - SILENT_MS
    return Array.from(this.#others.values(), ({ report, atMs }) =>
      atMs < sinceMs ? [] : report.backends.filter(one => one.id === id),
    ).flat()
  }
}
