import type { Client, Connection } from '../connection/connection.ts'
import { DeadlineError, within } from '../connection/within.ts'
import type { StateEvents } from '../state-events.ts'
import { PendingWrites, type Write } from './pending-writes.ts'

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
}

/** Writes to Redis in batches, one at a time, and keeps the writes that it does not take. */
export class Writer {
  readonly #connection: Connection
  readonly #states: StateEvents
  readonly #now: () => number
  readonly #pending: PendingWrites
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #flushing: Promise<void> | undefined
  /** Writes that were sent, and have been neither taken nor refused; after a timeout they wait to be sent again. */
  readonly #unsure = new Map<string, Write>()
  #retryMs = MIN_RETRY_MS
  /** Until when nothing is written, for the last batch was refused. */
  #resting: NodeJS.Timeout | undefined

  constructor(connection: Connection, states: StateEvents, { maxPending, now }: WriterSettings) {
    this.#connection = connection
    this.#states = states
    this.#now = now
    this.#pending = new PendingWrites(maxPending)
  }

  get pending(): number {
    return this.#pending.size
  }

  /** The write to this key that the store has yet to take. */
  get(key: string): Write | undefined {
    return this.#pending.get(key)
  }

  /**
   * Another gateway has written to the key. A write of ours that was sent before may have come first: sent again, it
   * would undo a newer one.
   */
  overtaken(key: string): void {
    const write = this.#unsure.get(key)
    if (write === undefined) return
    this.#unsure.delete(key)
    this.#pending.drop(key, write)
  }

  /** @param isUrgent the next request of the session may be on its way to another gateway */
  put(key: string, write: Write, isUrgent: boolean): void {
    this.#pending.put(key, write)
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
  async #write(client: Client, batch: readonly (readonly [string, Write])[]): Promise<unknown> {
    const nowMs = this.#now()
    for (const [key, write] of batch) this.#unsure.set(key, write)
    const results = batch.map(async ([key, { tag, untilMs }]) => {
      if (tag === undefined) return client.del(key)
      const leftMs = Math.round(untilMs - nowMs)
      return leftMs > 0 ? client.set(key, tag, { expiration: { type: 'PX', value: leftMs } }) : undefined
    })
    let settled: readonly PromiseSettledResult<unknown>[]
    try {
      settled = await within(WRITE_TIMEOUT_MS, Promise.allSettled(results))
    } catch (error) {
      for (const [key, write] of batch) {
        if (this.#unsure.get(key) === write) this.#pending.putBack(key, write)
      }
      return error
    }
    let failed: unknown
    for (const [index, result] of settled.entries()) {
      const entry = batch[index]
      if (entry === undefined) continue
      const [key, write] = entry
      const isOvertaken = this.#unsure.get(key) !== write
      if (!isOvertaken) this.#unsure.delete(key)
      if (result.status === 'fulfilled') continue
      failed ??= result.reason
      if (!isOvertaken) this.#pending.putBack(key, write)
    }
    return failed
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
