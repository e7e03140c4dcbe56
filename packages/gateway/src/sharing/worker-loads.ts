import type { Pool } from '@limpet/core'
import { type BackendLoad, CONNECTIONS, type Loads } from './load-messages.ts'

/** Between two looks at the counts. */
const LOOK_MS = 20

/** A pool that a worker serves. */
interface LoadedPool {
  readonly pool: Pool
  /** Whether a request's backend depends on the number of requests in flight at it. */
  readonly comparesLoads: boolean
}

/** Client connections that a worker counts. */
interface CountedConnections {
  /** The counts that other workers need, by their ids. */
  readonly shared: Iterable<readonly [string, number]>
  /** Those of the other workers together. */
  elsewhere: ReadonlyMap<string, number>
}

/**
 * The requests in flight and the client connections that a worker shares with the others, through its parent: what
 * `maxInFlight`, balancers that compare loads and the limits on connections count. A request changes local numbers alone.
 */
export class WorkerLoads {
  readonly #send: (loads: Loads, written: () => void) => void
  /** The counts that were sent, and those of the other workers, by pool and backend. */
  readonly #sent = new Map<string, Map<string, number>>()
  readonly #elsewhere = new Map<string, Map<string, number>>()
  #pools: ReadonlyMap<string, LoadedPool> = new Map()
  #connections: CountedConnections | undefined
  #isSending = false

  /** @param send to the parent, and calls `written` when the channel has taken it */
  constructor(send: (loads: Loads, written: () => void) => void) {
    this.#send = send
    setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** Shares the counts of those pools that need it, by their names. */
  serve(pools: ReadonlyMap<string, LoadedPool>): void {
    // An empty message lets the parent know of this worker.
    if (this.#pools.size === 0 && pools.size > 0) this.#put([])
    this.#pools = pools
  }

  /** Shares these counts as well. They get those of the other workers in a map that is kept up to date. */
  serveConnections(connections: CountedConnections): void {
    const elsewhere = new Map<string, number>()
    this.#elsewhere.set(CONNECTIONS, elsewhere)
    connections.elsewhere = elsewhere
    this.#connections = connections
  }

  receive(loads: Loads): void {
    for (const { pool, id, inFlight } of loads) {
      let known = this.#elsewhere.get(pool)
      if (known === undefined) this.#elsewhere.set(pool, (known = new Map<string, number>()))
      if (inFlight === 0) known.delete(id)
      else known.set(id, inFlight)
    }
    this.#apply()
  }

  /** A backend or a pool may be new. */
  #apply(): void {
    for (const [name, { pool }] of this.#pools) {
      const known = this.#elsewhere.get(name)
      for (const { backend, elsewhere } of pool.backends) {
        const now = known?.get(backend.id) ?? 0
        if (now !== elsewhere) pool.setElsewhere(backend.id, now)
      }
    }
  }

  #look(): void {
    if (this.#isSending || (this.#pools.size === 0 && this.#sent.size === 0)) return
    this.#apply()
    const changed: BackendLoad[] = []
    for (const name of new Set([...this.#pools.keys(), ...this.#sent.keys()]))
      if (name !== CONNECTIONS) this.#collect(name, this.#inFlight(name), changed)
    this.#collect(CONNECTIONS, new Map(this.#connections?.shared), changed)
    if (changed.length > 0) this.#put(changed)
  }

  /** The counts of a pool's backends that have some. */
  #inFlight(name: string): Map<string, number> {
    const counts = new Map<string, number>()
    const served = this.#pools.get(name)
    if (served?.comparesLoads !== true) return counts
    for (const { backend, inFlight } of served.pool.backends)
      if (inFlight > 0) counts.set(backend.id, inFlight)
    return counts
  }

  #collect(name: string, now: Map<string, number>, changed: BackendLoad[]): void {
    const before = this.#sent.get(name)
    for (const [id, inFlight] of now)
      if (inFlight !== before?.get(id)) changed.push({ pool: name, id, inFlight })
    for (const id of before?.keys() ?? []) if (!now.has(id)) changed.push({ pool: name, id, inFlight: 0 })
    if (now.size > 0) this.#sent.set(name, now)
    else this.#sent.delete(name)
  }

  #put(loads: Loads): void {
    this.#isSending = true
    this.#send(loads, () => {
      this.#isSending = false
    })
  }
}
