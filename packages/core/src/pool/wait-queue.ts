import { AsyncResource } from 'node:async_hooks'
import type { BackendView } from './backend-view.ts'

/**
 * Tries to serve a waiting request at once.
 * @returns false when the request has to keep waiting
 */
export type Serve = () => boolean

/** A request's place in the queue. */
export interface Place {
  /** Moves the request to the end of the line for `view`; without one, for any backend. */
  waitFor(view: BackendView | undefined): void
  leave(): void
}

interface Waiter extends Place {
  readonly serve: Serve
  /** Order of arrival, lowest first. */
  readonly number: number
}

/** Requests that wait for room at one backend or at any. First come, first served. */
export class WaitQueue {
  readonly #maxQueue: number
  readonly #dueInMs: () => number
  readonly #lines = new Map<BackendView | undefined, Set<Waiter>>()
  #count = 0
  #size = 0
  #wake: NodeJS.Timeout | undefined

  /**
   * @param maxQueue maximum that may wait for one backend, and that may wait for any
   * @param dueInMs until something changes by time alone; Infinity: nothing does
   */
  constructor(maxQueue: number, dueInMs: () => number) {
    this.#maxQueue = maxQueue
    this.#dueInMs = dueInMs
  }

  get size(): number {
    return this.#size
  }

  /** The number of requests that wait for `view`; without one, for any backend. */
  sizeOf(view?: BackendView): number {
    return this.#lines.get(view)?.size ?? 0
  }

  hasRoom(view?: BackendView): boolean {
    return this.sizeOf(view) < this.#maxQueue
  }

  /**
   * Queues a request for `view`, or for any backend, until it was served, leaves, or `timeoutMs` have passed.
   * @param serve called in the async context of this call, whichever request or operator has made room
   */
  enter(view: BackendView | undefined, serve: Serve, timeoutMs: number, onTimeout: () => void): Place {
    let stands: BackendView | undefined = view
    const timer = setTimeout(() => {
      waiter.leave()
      onTimeout()
    }, timeoutMs)
    const waiter: Waiter = {
      serve: AsyncResource.bind(serve),
      number: (this.#count += 1),
      waitFor: other => {
        if (other === stands || !this.#remove(stands, waiter)) return
        stands = other
        this.#add(stands, waiter)
      },
      leave: () => {
        clearTimeout(timer)
        if (this.#remove(stands, waiter) && this.#size === 0) clearTimeout(this.#wake)
      },
    }
    this.#add(view, waiter)
    this.#wakeWhenDue()
    return waiter
  }

  /** `view` has room for one more. */
  freed(view: BackendView): void {
    const lines = [view, undefined]
    let heads: readonly (Waiter | undefined)[]
    // A head that now has to wait for another backend has left its line, and the next one has its turn.
    do {
      heads = lines.map(line => this.#headOf(line))
      const served = inTurn(heads.filter(head => head !== undefined)).find(({ serve }) => serve())
      served?.leave()
      if (served !== undefined) return
    } while (lines.some((line, index) => this.#headOf(line) !== heads[index]))
  }

  /** Another change in the pool: any waiting request may have its turn. */
  changed(): void {
    const waiting: Waiter[] = []
    for (const line of this.#lines.values()) waiting.push(...line)
    for (const waiter of inTurn(waiting)) {
      if (waiter.serve()) waiter.leave()
    }
    this.#wakeWhenDue()
  }

  /** An ejected backend can be tried again by the passing of time alone. */
  #wakeWhenDue(): void {
    clearTimeout(this.#wake)
    if (this.#size === 0) return
    const dueInMs = this.#dueInMs()
    if (dueInMs < Infinity) this.#wake = setTimeout(() => this.changed(), dueInMs)
  }

  #headOf(view: BackendView | undefined): Waiter | undefined {
    return this.#lines.get(view)?.values().next().value
  }

  #add(view: BackendView | undefined, waiter: Waiter): void {
    const line = this.#lines.get(view) ?? new Set()
    this.#lines.set(view, line.add(waiter))
    this.#size += 1
  }

  #remove(view: BackendView | undefined, waiter: Waiter): boolean {
    const line = this.#lines.get(view)
    if (line?.delete(waiter) !== true) return false
    this.#size -= 1
    if (line.size === 0) this.#lines.delete(view)
    return true
  }
}

function inTurn(waiters: readonly Waiter[]): readonly Waiter[] {
  return waiters.toSorted((a, b) => a.number - b.number)
}
