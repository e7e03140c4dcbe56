import type { MemoryStore } from '@limpet/core'
import type { FromParent } from './messages.ts'
import { encodeChanges, encodeHashes, keyOf, type SessionChange } from './session-change.ts'

/** Changes that wait for one worker at most; then it is sent all sessions instead. */
const MAX_PENDING = 10_000
/** Sessions of one message, so that neither process does anything else for longer than about 10 ms. */
const CHUNK = 8_192
/** Replies that wait at most. The worker's own deadline answers for the others. */
const MAX_UNKNOWN = 4_096

type Hash = Pick<SessionChange, 'low' | 'high'>

/** The end of the channel to one worker. */
export interface Peer {
  /** @param written called when the channel has taken the message, or never when it is closed */
  send(message: FromParent, written?: () => void): void
}

/**
 * Changes of one table that one worker has yet to get. One message is on its way at a time, so that a worker that
 * does not read costs the parent a bounded amount of memory.
 */
export class Outbox {
  readonly #peer: Peer
  readonly #table: string
  readonly #memory: () => MemoryStore
  readonly #pending = new Map<number, SessionChange>()
  #unknown: Hash[] = []
  #taken = 0
  #sentTaken = 0
  /** The sessions that the worker has yet to be sent. */
  #snapshot: Generator<SessionChange, void, undefined> | undefined
  #isLoaded = false
  #isSending = false
  #isDue = false

  constructor(peer: Peer, table: string, memory: () => MemoryStore) {
    this.#peer = peer
    this.#table = table
    this.#memory = memory
    this.#sendAll()
  }

  put(change: SessionChange): void {
    this.#pending.set(keyOf(change), change)
    if (this.#pending.size > MAX_PENDING) this.#sendAll()
    this.#soon()
  }

  /** The worker has changed the session itself, after all changes that wait. */
  overridden(change: SessionChange): void {
    this.#pending.delete(keyOf(change))
  }

  /** The changes of its batch `number` were taken. */
  taken(number: number): void {
    this.#taken = number
    this.#soon()
  }

  /** No process knows the session that it has asked for. */
  unknown(hash: Hash): void {
    if (this.#unknown.length < MAX_UNKNOWN) this.#unknown.push(hash)
    this.#soon()
  }

  /** All of them hold all changes that wait. */
  #sendAll(): void {
    this.#pending.clear()
    this.#snapshot = changesOf(this.#memory())
    this.#soon()
  }

  #soon(): void {
    if (this.#isSending || this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#send())
  }

  #send(): void {
    this.#isDue = false
    const chunk = this.#nextChunk()
    const hasNews = chunk.length + this.#pending.size + this.#unknown.length > 0
    if (hasNews || this.#taken !== this.#sentTaken) {
      this.#sentTaken = this.#taken
      this.#isSending = true
      this.#peer.send(
        {
          what: 'changes',
          table: this.#table,
          taken: this.#taken,
          batch: encodeChanges([...chunk, ...this.#pending.values()]),
          unknown: encodeHashes(this.#unknown),
        },
        () => this.#sent(),
      )
      this.#pending.clear()
      this.#unknown = []
    }
    if (this.#snapshot !== undefined || this.#isLoaded) return
    this.#isLoaded = true
    this.#peer.send({ what: 'loaded', table: this.#table })
  }

  #sent(): void {
    this.#isSending = false
    const hasMore = this.#pending.size + this.#unknown.length > 0 || this.#taken !== this.#sentTaken
    if (hasMore || this.#snapshot !== undefined) this.#soon()
  }

  #nextChunk(): readonly SessionChange[] {
    const chunk: SessionChange[] = []
    while (this.#snapshot !== undefined && chunk.length < CHUNK) {
      const next = this.#snapshot.next()
      if (next.done === true) this.#snapshot = undefined
      else chunk.push(next.value)
    }
    return chunk
  }
}

function* changesOf(memory: MemoryStore): Generator<SessionChange, void, undefined> {
  for (const session of memory.entries()) yield { ...session, isRenewal: false }
}
