import { MemoryStore, type MemoryStoreOptions, type OpenStore } from '@limpet/core'
import type { FromParent, FromWorker } from './messages.ts'
import {
  decodeChanges,
  decodeHashes,
  encodeChanges,
  encodeHashes,
  keyOf,
  type SessionChange,
} from './session-change.ts'
import { Unconfirmed } from './unconfirmed.ts'

/** Renewals wait this long for others, so that they share a message. */
const BATCH_MS = 10
/** How long the parent may take to tell of a session; then the session counts as unknown. */
const DEADLINE_MS = 50
/** The share of a session's life that may pass before the other workers are told that it goes on. */
const RENEWED_AFTER = 0.1
/** More sessions at one time are not asked for: a client can make ids up faster than any process can answer. */
const MAX_ASKED = 1_024
/** Batches that the parent has yet to take; then changes wait, so that a parent that is stuck costs no memory. */
const MAX_IN_FLIGHT = 16

export interface WorkerTableOptions {
  readonly name: string
  readonly hashKey: Uint8Array
  readonly maxEntries: number | undefined
  /** Does nothing when the channel is closed. */
  readonly send: (message: FromWorker) => void
}

interface Asked extends Pick<SessionChange, 'low' | 'high'> {
  readonly found: Promise<string | undefined>
  readonly resolve: (backendId: string | undefined) => void
}

/**
 * The learned sessions of one policy, as one of several workers knows them: its own and those of the others. A session
 * that it does not know is asked for, since the news of it may be on its way.
 */
export class WorkerTable implements OpenStore {
  readonly #options: WorkerTableOptions
  readonly #unconfirmed = new Unconfirmed()
  readonly #hash = new Uint32Array(2)
  readonly #asked = new Map<number, Asked>()
  #memory: MemoryStore
  #toAsk: Asked[] = []
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  /** Resolves when all sessions that the parent knew have arrived. */
  readonly loaded: Promise<void>
  readonly #load: () => void

  constructor(options: WorkerTableOptions) {
    this.#options = options
    this.#memory = new MemoryStore(memoryOptions(options))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.loaded = promise
    this.#load = resolve
  }

  /** Goes on with another number of sessions. */
  resize(maxEntries: number | undefined): void {
    const memory = new MemoryStore(memoryOptions({ ...this.#options, maxEntries }))
    for (const { low, high, backendId, leftMs } of this.#memory.entries())
      memory.setHash(low, high, backendId, leftMs)
    this.#memory = memory
  }

  get(sessionId: string): string | undefined | Promise<string | undefined> {
    return this.#memory.get(sessionId) ?? this.#ask(sessionId)
  }

  set(sessionId: string, backendId: string, ttlMs: number): void {
    this.#update(sessionId, backendId, ttlMs, false)
  }

  renew(sessionId: string, backendId: string, ttlMs: number): void {
    const known = this.#memory.peek(sessionId)
    if (known === undefined || known === backendId) this.#update(sessionId, backendId, ttlMs, true)
  }

  /** @param goesOn the change must not undo a move that another worker has made, also when memory has lost the session */
  #update(sessionId: string, backendId: string, ttlMs: number, goesOn: boolean): void {
    const change = this.#memory.update(sessionId, backendId, ttlMs, ttlMs * (1 - RENEWED_AFTER))
    if (change === 'kept') return
    const isRenewal = goesOn || change === 'renewed'
    this.#put(sessionId, backendId, ttlMs, isRenewal)
    if (isRenewal) this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS).unref()
    // The next request of the session may be on its way to another worker.
    else this.#soon()
  }

  delete(sessionId: string): void {
    this.#memory.delete(sessionId)
    this.#put(sessionId, undefined, 0, false)
    this.#soon()
  }

  /** Live sessions of a backend in all workers. */
  count(backendId: string): number {
    return this.#memory.count(backendId)
  }

  receive(message: Extract<FromParent, { readonly table: string }>): void {
    if (message.what === 'loaded') {
      this.#load()
      return
    }
    // First: the changes are newer.
    this.#unconfirmed.taken(message.taken)
    for (const change of decodeChanges(message.batch)) this.#take(change)
    for (const hash of decodeHashes(message.unknown)) this.#answer(hash, undefined)
    if (!this.#unconfirmed.isEmpty) this.#soon()
  }

  /** Sends all changes. */
  flush(): void {
    if (this.#unconfirmed.isEmpty) return
    const { number, changes } = this.#unconfirmed.take()
    this.#options.send({
      what: 'changes',
      table: this.#options.name,
      number,
      batch: encodeChanges(changes),
    })
  }

  #put(sessionId: string, backendId: string | undefined, leftMs: number, isRenewal: boolean): void {
    this.#memory.hashOf(sessionId, this.#hash)
    const [low = 0, high = 0] = this.#hash
    this.#unconfirmed.put({ low, high, backendId, leftMs, isRenewal })
  }

  #soon(): void {
    this.#immediate ??= setImmediate(() => this.#flush())
  }

  #flush(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
    if (this.#unconfirmed.inFlight < MAX_IN_FLIGHT) this.flush()
    const asked = this.#toAsk
    if (asked.length === 0) return
    this.#toAsk = []
    this.#options.send({ what: 'ask', table: this.#options.name, hashes: encodeHashes(asked) })
  }

  #take(change: SessionChange): void {
    const { low, high, backendId, leftMs } = change
    if (this.#unconfirmed.overrides(change)) return
    if (backendId === undefined) this.#memory.deleteHash(low, high)
    else this.#memory.setHash(low, high, backendId, leftMs)
    if (this.#asked.size > 0) this.#answer(change, backendId)
  }

  #ask(sessionId: string): Promise<string | undefined> | undefined {
    this.#memory.hashOf(sessionId, this.#hash)
    const [low = 0, high = 0] = this.#hash
    const key = keyOf({ low, high })
    const underWay = this.#asked.get(key)
    if (underWay !== undefined) return underWay.found
    if (this.#asked.size >= MAX_ASKED) return undefined
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const asked = { low, high, found: promise, resolve }
    this.#asked.set(key, asked)
    this.#toAsk.push(asked)
    this.#soon()
    // A reply that waits in the channel when the timer fires still counts: this process was late, not the parent.
    const timer = setTimeout(() => setImmediate(() => this.#giveUp(asked)), DEADLINE_MS)
    return promise.finally(() => clearTimeout(timer))
  }

  #giveUp(asked: Asked): void {
    if (this.#asked.get(keyOf(asked)) === asked) this.#answer(asked, undefined)
  }

  /** A response in the session may have been faster than the parent. */
  #answer(hash: Pick<SessionChange, 'low' | 'high'>, backendId: string | undefined): void {
    const key = keyOf(hash)
    const asked = this.#asked.get(key)
    if (asked === undefined) return
    this.#asked.delete(key)
    asked.resolve(this.#memory.getHash(asked.low, asked.high)?.backendId ?? backendId)
  }
}

function memoryOptions({ hashKey, maxEntries }: WorkerTableOptions): MemoryStoreOptions {
  return { hashKey, ...(maxEntries !== undefined && { maxEntries }) }
}
