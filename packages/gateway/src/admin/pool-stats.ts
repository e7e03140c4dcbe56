import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { AffinityStatus, RespondedEvent, RedispatchedEvent, Pool } from '@limpet/core'

interface BackendCounts {
  newSessions: number
  redispatchedFrom: number
  redispatchedTo: number
}

/** A backend in numbers. */
export interface BackendRow extends BackendCounts {
  readonly id: string
  readonly url: string
  readonly state: string
  readonly healthy: boolean
  readonly backup: boolean
  readonly weight: number
  readonly inFlight: number
  readonly requests: number
  readonly failures: number
  /** Live sessions, where that is known. */
  readonly sessions: number | undefined
}

/** A pool in numbers. */
export interface PoolRow {
  readonly backends: readonly BackendRow[]
  readonly affinity: Readonly<Record<AffinityStatus, number>>
  readonly inFlight: number
  /** Requests that wait. */
  readonly queued: number
}

/** Counts the events of this process's pools, by their names. A pool that takes over from another continues its counts. */
export class PoolStats {
  readonly #backends = new Map<string, BackendCounts>()
  readonly #affinity = new Map<string, Record<AffinityStatus, number>>()

  constructor() {
    subscribe('limpet:responded', this.#responded)
    subscribe('limpet:redispatched', this.#redispatched)
  }

  close(): void {
    unsubscribe('limpet:responded', this.#responded)
    unsubscribe('limpet:redispatched', this.#redispatched)
  }

  row(pool: Pool): PoolRow {
    return {
      backends: pool.backends
        .map(({ backend }) => this.backendRow(pool, backend.id))
        .filter(row => row !== undefined),
      affinity: this.#statusesOf(pool.name),
      inFlight: pool.inFlight,
      queued: pool.queued,
    }
  }

  /** Undefined: there is none of this id. */
  backendRow(pool: Pool, id: string): BackendRow | undefined {
    const view = pool.find(id)
    if (view === undefined) return undefined
    const { backend, state, healthy, backup, weight, inFlight, requests, failures } = view
    return {
      id,
      url: backend.url.href,
      state,
      healthy,
      backup,
      weight,
      inFlight,
      requests,
      failures,
      sessions: pool.sessionsOf(id),
      ...this.#countsOf(pool.name, id),
    }
  }

  readonly #responded = (event: unknown): void => {
    const { pool, backend, status } = event as RespondedEvent
    this.#statusesOf(pool)[status as AffinityStatus] += 1
    if (status !== 'matched') this.#countsOf(pool, backend).newSessions += 1
  }

  readonly #redispatched = (event: unknown): void => {
    const { pool, backend, from } = event as RedispatchedEvent
    this.#countsOf(pool, from).redispatchedFrom += 1
    this.#countsOf(pool, backend).redispatchedTo += 1
  }

  #countsOf(pool: string, id: string): BackendCounts {
    const key = `${pool} ${id}`
    const counts = this.#backends.get(key) ?? { newSessions: 0, redispatchedFrom: 0, redispatchedTo: 0 }
    this.#backends.set(key, counts)
    return counts
  }

  #statusesOf(pool: string): Record<AffinityStatus, number> {
    const counts = this.#affinity.get(pool) ?? {
      none: 0,
      invalid: 0,
      expired: 0,
      unknown: 0,
      unavailable: 0,
      matched: 0,
    }
    this.#affinity.set(pool, counts)
    return counts
  }
}
