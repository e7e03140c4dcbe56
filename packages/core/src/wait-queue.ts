import type { BackendView } from './member.ts'

/**
 * Tries to serve somebody who waits, there and then.
 * @returns false when he has to wait on
 */
export type Serve = () => boolean

interface Waiter {
  readonly serve: Serve
  /** Who came first is first. */
  readonly number: number
  readonly leave: () => void
}

/** Requests that wait: for room at one backend, or for anybody. First come, first served. */
export class WaitQueue {
  readonly #maxQueue: number
  readonly #lines = new Map<BackendView | undefined, Set<Waiter>>()
  #count = 0
  #size = 0

  /** @param maxQueue that may wait for one backend, and that may wait for anybody */
  constructor(maxQueue: number) {
    this.#maxQueue = maxQueue
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
   * @returns what makes him leave
   */
  enter(view: BackendView | undefined, serve: Serve, timeoutMs: number, onTimeout: () => void): () => void {
    const line = this.#lines.get(view) ?? new Set()
    this.#lines.set(view, line)
    const timer = setTimeout(() => {
      leave()
      onTimeout()
    }, timeoutMs)
    const leave = (): void => {
      clearTimeout(timer)
      if (!line.delete(waiter)) return
      this.#size -= 1
      if (line.size === 0) this.#lines.delete(view)
    }
    const waiter = { serve, leave, number: (this.#count += 1) }
    line.add(waiter)
    this.#size += 1
    return leave
  }

  /** `view` has room for one more. */
  freed(view: BackendView): void {
    const heads = [this.#lines.get(view), this.#lines.get(undefined)].flatMap(line =>
      line === undefined ? [] : line.values().take(1).toArray(),
    )
    inTurn(heads)
      .find(({ serve }) => serve())
      ?.leave()
  }

  /** Something else has changed, and anybody may have his turn. */
  changed(): void {
    const waiting: Waiter[] = []
    for (const line of this.#lines.values()) waiting.push(...line)
    for (const waiter of inTurn(waiting)) {
      if (waiter.serve()) waiter.leave()
    }
  }
}

function inTurn(waiters: readonly Waiter[]): readonly Waiter[] {
  return waiters.toSorted((a, b) => a.number - b.number)
}
