import type { Client, Connection } from '../connection/connection.ts'
import { DeadlineError, within } from '../connection/within.ts'
import type { StateEvents } from '../state-events.ts'
import { type Pending, PendingWrites, type Write } from './pending-writes.ts'

/** Renewals wait this long for others, so that they share a packet. */
const BATCH_MS = 10
const MAX_BATCH = 500
const WRITE_TIMEOUT_MS = 1_000
const MIN_RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000

export interface WriterSettings {
  readonly maxPending: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** A write was not made: another gateway has written to its key since, or its key has a value already. */
  dropped(key: string): void
}

/** Writes of one batch that were neither taken nor dropped. */
type Flight = Map<string, Pending>

/** Writes to Redis in batches, one at a time, and keeps the writes that it does not take. */
export class Writer {
  readonly #connection: Connection
  readonly #states: StateEvents
  readonly #settings: WriterSettings
  readonly #pending: PendingWrites
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #flushing: Promise<void> | undefined
  #inFlight: Flight = new Map()
  #retryMs = MIN_RETRY_MS
  /** Until when nothing is written, for the last batch was refused. */
  #resting: NodeJS.Timeout | undefined

  constructor(connection: Connection, states: StateEvents, settings: WriterSettings) {
    this.#connection = connection
    this.#states = states
    this.#settings = settings
    this.#pending = new PendingWrites(settings.maxPending)
  }

  /** Writes that are kept here. */
  get size(): number {
    return this.#pending.size + this.#inFlight.size
  }

  /** The write to this key that the store has yet to take. */
  get(key: string): Write | undefined {
    return this.#pending.get(key) ?? this.#inFlight.get(key)
  }

  /**
   * Another gateway has written to the key. A write of ours that was sent before may have come first: sent again, it
   * would undo a newer one. A renewal that waits was made before the news came.
   */
  overtaken(key: string): void {
    this.#inFlight.delete(key)
    this.#pending.overtaken(key)
  }

  /** @param isUrgent the next request of the session may be on its way to another gateway */
  put(key: string, write: Write, isUrgent: boolean): void {
    const isLate = this.#connection.client === undefined || this.#resting !== undefined
    this.#pending.put(key, { ...write, isLate, isUnsure: false })
    if (isUrgent) this.#immediate ??= setImmediate(() => void this.flush())
    else this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref()
  }

  /** Writes all that is pending, as far as the store takes it. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
    this.#flushing ??= this.#writeAll().finally(() => (this.#flushing = undefined))
    await this.#flushing
  }

  close(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#resting)
    clearImmediate(this.#immediate)
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0 && this.#resting === undefined) {
      const { client } = this.#connection
      if (client === undefined) return
      const batch = this.#pending.take(MAX_BATCH)
      const error = await this.#write(client, batch)
      if (error !== undefined) this.#rest(error)
      else {
        this.#retryMs = MIN_RETRY_MS
        this.#states.accepted('writes')
      }
    }
  }

  /** Returns why a write was not taken, if one was not. */
  async #write(client: Client, batch: readonly (readonly [string, Pending])[]): Promise<unknown> {
    const flight: Flight = new Map(batch)
    this.#inFlight = flight
    let failed: unknown
    try {
      failed = await within(WRITE_TIMEOUT_MS, this.#send(client, flight))
    } catch (error) {
      failed = error
    }
    for (const [key, write] of flight) {
      write.isLate = true
      write.isUnsure = true
      this.#pending.putBack(key, write)
    }
    // A reply that comes later finds nothing to do.
    flight.clear()
    return failed
  }

  async #send(client: Client, flight: Flight): Promise<unknown> {
    await this.#dropOlder(client, flight)
    let failed: unknown
    const sent = Array.from(flight, async ([key, write]) => {
      try {
        await this.#sendOne(client, key, write)
        if (flight.get(key) === write) flight.delete(key)
      } catch (error) {
        failed ??= error
      }
    })
    await Promise.all(sent)
    return failed
  }

  async #sendOne(client: Client, key: string, { tag, untilMs, condition }: Pending): Promise<void> {
    if (tag === undefined) {
      await client.del(key)
      return
    }
    const leftMs = Math.round(untilMs - this.#settings.now())
    if (leftMs <= 0) return
    const options = { expiration: { type: 'PX', value: leftMs } } as const
    const reply = await client.set(key, tag, condition === undefined ? options : { ...options, condition })
    if (reply === null) this.#settings.dropped(key)
  }

  /**
   * Drops late writes to keys that another gateway has written since. The time that is left of an entry tells when it
   * was written, whatever the clocks of the gateways say.
   */
  async #dropOlder(client: Client, flight: Flight): Promise<void> {
    const late = [...flight].filter(([, { isLate }]) => isLate)
    if (late.length === 0) return
    const lefts = await Promise.all(late.map(async ([key]) => client.pTTL(key)))
    const nowMs = this.#settings.now()
    for (const [index, [key, write]] of late.entries()) {
      const leftMs = lefts[index] ?? 0
      if (leftMs >= write.untilMs - nowMs && flight.delete(key)) this.#settings.dropped(key)
    }
  }

  #rest(error: unknown): void {
    if (this.#connection.client === undefined) return
    const reason = error instanceof Error ? error.message : ''
    if (error instanceof DeadlineError || /^(?:MOVED|LOADING|CLUSTERDOWN|MASTERDOWN|NOAUTH) /.test(reason)) {
      this.#connection.failed(error)
    } else {
      this.#states.refused('writes', error)
      if (reason.startsWith('READONLY ')) this.#connection.leave()
    }
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      void this.flush()
    }, this.#retryMs).unref()
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS)
  }
}
