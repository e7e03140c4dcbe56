import type { BackendLoad, Loads } from './load-messages.ts'

/** Changes wait this long for those of other workers, so that they share a message. */
const BATCH_MS = 10

/** The end of the channel to one worker. */
export interface LoadPeer {
  /** @param written called when the channel has taken the message, or never when it is closed */
  sendLoads(loads: Loads, written: () => void): void
}

/** Requests in flight at one backend. */
interface Load {
  readonly pool: string
  readonly id: string
  total: number
  readonly byPeer: Map<LoadPeer, number>
}

/** Counts for one worker that have not been sent. One message is on its way at a time, so a stopped worker costs bounded memory. */
interface Outbox {
  readonly pending: Map<string, Load>
  isSending: boolean
  timer: NodeJS.Timeout | undefined
}

/** The requests in flight of all workers, in their parent: it tells each of them the sums of the others. */
export class ParentLoads {
  readonly #loads = new Map<string, Load>()
  readonly #outboxes = new Map<LoadPeer, Outbox>()

  receive(peer: LoadPeer, loads: Loads): void {
    if (!this.#outboxes.has(peer)) this.#join(peer)
    for (const load of loads) this.#set(peer, load)
  }

  /** The worker has ended, and its requests with it. */
  left(peer: LoadPeer): void {
    clearTimeout(this.#outboxes.get(peer)?.timer)
    this.#outboxes.delete(peer)
    for (const { pool, id, byPeer } of this.#loads.values())
      if (byPeer.has(peer)) this.#set(peer, { pool, id, inFlight: 0 })
  }

  #join(peer: LoadPeer): void {
    this.#outboxes.set(peer, { pending: new Map(this.#loads), isSending: false, timer: undefined })
    this.#soon(peer)
  }

  #set(from: LoadPeer, { pool, id, inFlight }: BackendLoad): void {
    const key = `${pool}/${id}`
    const load = this.#loads.get(key) ?? { pool, id, total: 0, byPeer: new Map<LoadPeer, number>() }
    load.total += inFlight - (load.byPeer.get(from) ?? 0)
    if (inFlight === 0) load.byPeer.delete(from)
    else load.byPeer.set(from, inFlight)
    if (load.total === 0) this.#loads.delete(key)
    else this.#loads.set(key, load)
    for (const [peer, { pending }] of this.#outboxes) {
      if (peer === from) continue
      pending.set(key, load)
      this.#soon(peer)
    }
  }

  #soon(peer: LoadPeer): void {
    const outbox = this.#outboxes.get(peer)
    if (outbox === undefined || outbox.isSending) return
    outbox.timer ??= setTimeout(() => this.#send(peer, outbox), BATCH_MS).unref()
  }

  #send(peer: LoadPeer, outbox: Outbox): void {
    outbox.timer = undefined
    if (outbox.pending.size === 0) return
    const loads = Array.from(outbox.pending.values(), ({ pool, id, total, byPeer }) => ({
      pool,
      id,
      inFlight: total - (byPeer.get(peer) ?? 0),
    }))
    outbox.pending.clear()
    outbox.isSending = true
    peer.sendLoads(loads, () => {
      outbox.isSending = false
      if (outbox.pending.size > 0) this.#soon(peer)
    })
  }
}
