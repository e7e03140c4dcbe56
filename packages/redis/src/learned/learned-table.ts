import type { OpenStore, Pseudonyms, StoreContext } from '@limpet/core'
import { type Client, Connection } from '../connection/connection.ts'
import { RedisClock } from '../connection/redis-clock.ts'
import type { ParsedRedis } from '../connection/redis-options.ts'
import { within } from '../connection/within.ts'
import { StateEvents } from '../state-events.ts'
import { Estimates } from './estimates.ts'
import { SessionMemory } from './session-memory.ts'
import { SessionSketch } from './session-sketch.ts'
import { Writer } from './writer.ts'

export interface TableSettings {
  readonly redis: ParsedRedis
  readonly prefix: string
  readonly deadlineMs: number
  readonly maxEntries: number
  readonly maxPending: number
}

/** A look-up that is under way. */
interface Reading {
  readonly found: Promise<string | undefined>
  /** A response in the session, or another gateway, has changed it since it was asked for. */
  isOutdated: boolean
}

interface Entry {
  readonly tag: string | null
  /** Milliseconds; below 0: there is no entry, or one without an end. */
  readonly leftMs: number
}

/** More look-ups at one time are not asked: a client can make ids up faster than any server can answer. */
const MAX_READINGS = 1_024
const TAG = /^[\w-]{16}$/
/** A session that others change faster than it is read is answered, and not remembered. */
const MAX_ROUNDS = 3
const CLOSE_TIMEOUT_MS = 1_000
const NO_ENTRY: Entry = { tag: null, leftMs: -2 }

/** The learned sessions of one policy in Redis, with a first level in this process. */
export class LearnedTable implements OpenStore {
  readonly #settings: TableSettings
  readonly #prefix: string
  readonly #states: StateEvents
  readonly #connection: Connection
  readonly #memory: SessionMemory
  readonly #writer: Writer
  readonly #sketch: SessionSketch
  readonly #clock = new RedisClock()
  readonly #readings = new Map<string, Reading>()
  readonly #estimates = new Estimates(async id => this.fleetSessions(id))
  readonly #hash = new Uint32Array(2)
  readonly #now: () => number
  readonly #ttlMs: number
  #names: readonly Pseudonyms[]

  constructor(context: StoreContext, settings: TableSettings) {
    const { pool, names, ttlMs, now } = context
    const { redis, deadlineMs, prefix, maxEntries, maxPending } = settings
    this.#settings = settings
    this.#names = names
    this.#now = now
    this.#ttlMs = ttlMs
    // The braces keep all keys of a pool in one slot of a Cluster.
    this.#prefix = `${prefix}:{${pool}}:l:`
    const hashKey = this.#newest.hashKey
    this.#memory = new SessionMemory({ maxEntries, now, hashKey })
    this.#states = new StateEvents(pool, 'learned')
    this.#connection = new Connection(
      { redis, deadlineMs, key: this.#prefix, isTracking: true },
      this.#states,
      {
        prepare: async client => this.#prepare(client),
        usable: () => void this.#writer.flush(),
        invalidated: key => this.#invalidated(key),
      },
    )
    this.#writer = new Writer(this.#connection, this.#states, {
      maxPending,
      now,
      dropped: key => this.#forgetKey(key),
    })
    this.#sketch = new SessionSketch(this.#connection, `${prefix}:{${pool}}:s:`, ttlMs, this.#clock)
  }

  /** Whether `context` has the same sessions: those of the same newest secret, with the same life. */
  fits({ names, ttlMs }: StoreContext): boolean {
    const [newest] = names
    if (newest === undefined || ttlMs !== this.#ttlMs) return false
    return Buffer.compare(newest.hashKey, this.#newest.hashKey) === 0
  }

  /** Goes on for a pool that was configured anew. */
  reopen({ names }: StoreContext): void {
    this.#names = names
  }

  get(sessionId: string): string | undefined | Promise<string | undefined> {
    const known = this.#memory.get(sessionId)
    if (known !== undefined && this.#connection.isTracked) return known
    return this.#lookUp(sessionId, known)
  }

  set(sessionId: string, backendId: string, ttlMs: number): void {
    this.#update(sessionId, backendId, ttlMs, false)
  }

  renew(sessionId: string, backendId: string, ttlMs: number): void {
    const known =
      this.#memory.get(sessionId) ??
      this.#writer.get(this.#prefix + this.#newest.nameOf(sessionId))?.backendId
    if (known === undefined || known === backendId) this.#update(sessionId, backendId, ttlMs, true)
  }

  /** @param goesOn the change must not undo a move that another gateway has made */
  #update(sessionId: string, backendId: string, ttlMs: number, goesOn: boolean): void {
    const change = this.#memory.update(sessionId, backendId, ttlMs)
    if (change === 'kept') return
    const untilMs = this.#now() + ttlMs
    const name = this.#newest.nameOf(sessionId)
    const tag = this.#newest.tags.tagOf(backendId)
    const pending = this.#writer.get(this.#prefix + name)
    // A renewal of a session that has just moved must not let the move wait for less.
    const isRenewal =
      (goesOn || change === 'renewed') && (pending === undefined || pending.isRenewal === true)
    // Memory has lost the session: another gateway has changed it, or the store was emptied, or nothing has happened.
    const condition = isRenewal && change === 'news' ? ('NX' as const) : undefined
    this.#sketch.add(tag, name)
    this.#outdate(name)
    this.#writer.put(
      this.#prefix + name,
      { tag, backendId, untilMs, condition, isRenewal },
      change === 'news',
    )
    if (change === 'renewed') return
    // A gateway that still writes under an older secret looks there first, so a move has to be written there too.
    for (const names of this.#names.slice(1)) {
      const write = { tag: names.tags.tagOf(backendId), backendId, untilMs, condition, isRenewal }
      this.#writer.put(this.#prefix + names.nameOf(sessionId), write, true)
    }
  }

  delete(sessionId: string): void {
    this.#memory.delete(sessionId)
    const write = { tag: undefined, backendId: undefined, untilMs: this.#now() + this.#ttlMs }
    for (const names of this.#names) {
      const name = names.nameOf(sessionId)
      this.#outdate(name)
      this.#writer.put(this.#prefix + name, write, true)
    }
  }

  /**
   * Live sessions of a backend in all gateways, as of the last second or two, so that a drain here waits for sessions
   * that only another gateway has met. Undefined until Redis has said it, and while it is away.
   */
  count(backendId: string): number | undefined {
    const estimate = this.#estimates.count(backendId)
    return estimate === undefined ? undefined : Math.max(estimate, this.#memory.count(backendId))
  }

  /** Live sessions of a backend in the whole fleet, by estimate. Rejects when the store does not respond. */
  async fleetSessions(backendId: string): Promise<number> {
    return this.#sketch.count(this.#names.map(({ tags }) => tags.tagOf(backendId)))
  }

  get ready(): Promise<void> {
    return this.#connection.tried
  }

  /** Writes what is pending, within a second, and ends the connection. */
  async close(): Promise<void> {
    try {
      await within(CLOSE_TIMEOUT_MS, Promise.all([this.#writer.flush(), this.#sketch.flush()]))
    } catch {
      // The store is down: the state of the connection has said so.
    }
    this.#writer.close()
    this.#sketch.close()
    this.#connection.close()
  }

  get #newest(): Pseudonyms {
    const [newest] = this.#names
    if (newest === undefined) throw new TypeError('a shared store needs a secret')
    return newest
  }

  async #prepare(client: Client): Promise<void> {
    if (this.#connection.isTracked) {
      // One connection for all: a message about a key cannot overtake a reply that it makes outdated, and our own
      // writes are left out. The client has turned tracking on in its other mode, which has to be left first.
      await client.sendCommand(['CLIENT', 'TRACKING', 'OFF'])
      await client.sendCommand(['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', this.#prefix, 'NOLOOP'])
    }
    await this.#clock.read(client)
    this.#doubt()
  }

  #invalidated(key: string | null): void {
    if (key === null) {
      this.#doubt()
      return
    }
    if (!key.startsWith(this.#prefix)) return
    this.#writer.overtaken(key)
    this.#forgetKey(key)
  }

  /** Messages about changes may have been missed. */
  #doubt(): void {
    this.#memory.doubt()
    for (const reading of this.#readings.values()) reading.isOutdated = true
  }

  /** Another gateway has changed the session of this key. */
  #forgetKey(key: string): void {
    const name = key.slice(this.#prefix.length)
    // The message may come in the same packet as a reply, and is then handled first.
    this.#outdate(name)
    // A name under another secret decrypts to a hash that no entry has.
    if (!this.#newest.hashOf(name, this.#hash)) return
    this.#memory.deleteHash(this.#hash[0] ?? 0, this.#hash[1] ?? 0)
  }

  #outdate(name: string): void {
    if (this.#readings.size === 0) return
    const reading = this.#readings.get(name)
    if (reading !== undefined) reading.isOutdated = true
  }

  /** @param known in memory, while nothing tells of changes */
  #lookUp(sessionId: string, known: string | undefined): string | undefined | Promise<string | undefined> {
    const last = known ?? this.#memory.unverified(sessionId)
    const { client } = this.#connection
    if (client === undefined) return last
    const name = this.#newest.nameOf(sessionId)
    const pending = this.#writer.get(this.#prefix + name)
    if (pending !== undefined) return pending.backendId
    const underWay = this.#readings.get(name)
    if (underWay !== undefined) return underWay.found
    if (this.#readings.size >= MAX_READINGS) return last
    const reading = { found: this.#read(client, sessionId, name, last), isOutdated: false }
    this.#readings.set(name, reading)
    return reading.found
  }

  async #read(
    client: Client,
    sessionId: string,
    name: string,
    last: string | undefined,
  ): Promise<string | undefined> {
    try {
      for (let round = 1; ; round += 1) {
        const entries = await within(
          this.#settings.deadlineMs,
          Promise.all(
            this.#names.map(async (names, index) =>
              this.#entry(client, index === 0 ? name : names.nameOf(sessionId)),
            ),
          ),
        )
        this.#connection.succeeded()
        const reading = this.#readings.get(name)
        if (reading?.isOutdated !== true || round === MAX_ROUNDS)
          return this.#found(sessionId, entries, last, reading?.isOutdated !== true)
        const known = this.#memory.get(sessionId)
        if (known !== undefined) return known
        const pending = this.#writer.get(this.#prefix + name)
        if (pending !== undefined) return pending.backendId
        reading.isOutdated = false
      }
    } catch (error) {
      this.#connection.failed(error)
      return last
    } finally {
      this.#readings.delete(name)
    }
  }

  async #entry(client: Client, name: string): Promise<Entry> {
    const key = this.#prefix + name
    try {
      // Both go out in one packet. The end tells when the entry is to be renewed.
      const [tag, leftMs] = await Promise.all([client.get(key), client.pTTL(key)])
      return { tag, leftMs }
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('WRONGTYPE ')) throw error
      this.#states.badValue('a key of ours has another type')
      return NO_ENTRY
    }
  }

  /** @param isCurrent it may be remembered */
  #found(
    sessionId: string,
    entries: readonly Entry[],
    last: string | undefined,
    isCurrent: boolean,
  ): string | undefined {
    for (const [index, { tag, leftMs }] of entries.entries()) {
      const backendId = this.#backendOf(tag, this.#names[index])
      if (backendId === undefined) continue
      // An entry of an older secret is written anew with the next response, for memory does not have it.
      if (index === 0 && leftMs > 0 && isCurrent) this.#memory.verify(sessionId, backendId, leftMs)
      return backendId
    }
    // The store may have been emptied: a session known here is new to it. A session that ended meanwhile is harmless.
    this.#memory.forget(sessionId)
    return last
  }

  #backendOf(tag: string | null, names: Pseudonyms | undefined): string | undefined {
    if (tag === null) return undefined
    // A backend that has left the pool is none.
    if (TAG.test(tag)) return names?.tags.idOf(tag)
    this.#states.badValue('a value is no tag of a backend')
    return undefined
  }
}
