import { AsyncResource } from 'node:async_hooks'
import type { BackendView } from './backend-view.ts'

/**
 * Tries to serve somebody who waits, there and then.
 * @returns false when he has to wait on
 */
export type Serve = () => boolean

/** Somebody's place in the queue. */
export interface Place {
  /** He waits for `view` from now on, at the end of that line; without one, for anybody. */
  waitFor(view: BackendView | undefined): void
  leave(): void
}

interface Waiter extends Place {
  readonly serve: Serve
  /** Who came first is first. */
  readonly number: number
}

/** Requests that wait: for room at one backend, or for anybody. First come, first served. */
export class WaitQueue {
  readonly #maxQueue: number
  readonly #dueInMs: () => number
  readonly #lines = new Map<BackendView | undefined, Set<Waiter>>()
  #count = 0
  #size = 0
  #wake: NodeJS.Timeout | undefined

  /**
   * @param maxQueue that may wait for one backend, and that may wait for anybody
   * @param dueInMs until something changes by time alone; Infinity: nothing does
   */
  constructor(maxQueue: number, dueInMs: () => number) {
    this.#maxQueue = maxQueue
    this.#dueInMs = dueInMs
  }

  get size(): number {
    return this.#size
  }

  /** How many wait for `view`; without one, for anybody. */
  sizeOf(view?: BackendView): number {
    return this.#lines.get(view)?.size ?? 0
  }

  hasRoom(view?: BackendView): boolean {
    return this.sizeOf(view) < this.#maxQueue
  }

  /**
   * Stands in line for `view`, or for anybody, until he was served, leaves, or `timeoutMs` have passed.
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
    // A head that has to wait for somebody else now has left its line, and the next one has his turn.
    do {
      heads = lines.map(line => this.#headOf(line))
      const served = inTurn(heads.filter(head => head !== undefined)).find(({ serve }) => serve())
      served?.leave()
      if (served !== undefined) return
    } while (lines.some((line, index) => this.#headOf(line) !== heads[index]))
  }

  /** Something else has changed, and anybody may have his turn. */
  changed(): void {
    const waiting: Waiter[] = []
    for (const line of this.#lines.values()) waiting.push(...line)
    for (const waiter of inTurn(waiting)) {
      if (waiter.serve()) waiter.leave()
    }
    this.#wakeWhenDue()
  }

  /** One who was taken out can be tried again without anybody's doing. */
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
