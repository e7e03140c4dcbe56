import { MemoryStore } from '@limpet/core'
import { Outbox, type Peer } from './outbox.ts'
import { decodeChanges, type SessionBatch, type SessionChange } from './session-change.ts'

/** The learned sessions of one policy, as the parent of all workers knows them. */
export class ParentTable {
  readonly #name: string
  readonly #outboxes = new Map<Peer, Outbox>()
  #maxEntries: number | undefined
  #memory: MemoryStore

  constructor(name: string, maxEntries: number | undefined) {
    this.#name = name
    this.#maxEntries = maxEntries
    this.#memory = memoryOf(maxEntries)
  }

  /** A worker begins to use it, or goes on with another number of sessions. */
  open(peer: Peer, maxEntries: number | undefined): void {
    if (maxEntries !== this.#maxEntries) this.#resize(maxEntries)
    if (!this.#outboxes.has(peer)) this.#outboxes.set(peer, new Outbox(peer, this.#name, () => this.#memory))
  }

  left(peer: Peer): void {
    this.#outboxes.delete(peer)
  }

  /** Takes the changes of a worker, and tells the others. */
  take(from: Peer, number: number, batch: SessionBatch): void {
    const own = this.#outboxes.get(from)
    for (const change of decodeChanges(batch)) {
      const known = this.#memory.getHash(change.low, change.high)
      if (change.isRenewal && known !== undefined && known.backendId !== change.backendId) {
        // Another worker has moved the session. This one may have evicted it since it was told.
        own?.put({ ...known, isRenewal: false })
        continue
      }
      this.#apply(change)
      // A renewal does not override what is on its way to its worker: perhaps the end of the session.
      if (!change.isRenewal) own?.overridden(change)
      const isNewsToAll = change.isRenewal && known === undefined
      for (const outbox of this.#outboxes.values()) if (outbox !== own || isNewsToAll) outbox.put(change)
    }
    own?.taken(number)
  }

  /** Tells a worker of a session. @returns whether it is known */
  tell(peer: Peer, { low, high }: Pick<SessionChange, 'low' | 'high'>): boolean {
    const known = this.#memory.getHash(low, high)
    if (known !== undefined) this.#outboxes.get(peer)?.put({ ...known, isRenewal: false })
    return known !== undefined
  }

  /** Tells a worker that the session is not known. */
  tellUnknown(peer: Peer, hash: Pick<SessionChange, 'low' | 'high'>): void {
    this.#outboxes.get(peer)?.unknown(hash)
  }

  #apply({ low, high, backendId, leftMs }: SessionChange): void {
    if (backendId === undefined) this.#memory.deleteHash(low, high)
    else this.#memory.setHash(low, high, backendId, leftMs)
  }

  #resize(maxEntries: number | undefined): void {
    const memory = memoryOf(maxEntries)
    for (const { low, high, backendId, leftMs } of this.#memory.entries())
      memory.setHash(low, high, backendId, leftMs)
    this.#memory = memory
    this.#maxEntries = maxEntries
  }
}

function memoryOf(maxEntries: number | undefined): MemoryStore {
  return new MemoryStore({ ...(maxEntries !== undefined && { maxEntries }) })
}
