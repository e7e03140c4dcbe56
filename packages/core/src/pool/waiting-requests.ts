/** A request that waits at a backend for the head of its response. */
export interface WaitingRequest {
  /** Where it stands in the list, which alone writes it; -1: it does not wait. */
  place: number
  /** The backend was found down. */
  foundDown(): void
}

/**
 * The requests that wait at one backend, in no order. Not a `Set`: V8 replaces the table of a set that changes with
 * every request again and again, and each table keeps the next one alive. Once a dead table is in the old generation,
 * all requests since would be kept until the next full collection.
 */
export class WaitingRequests {
  readonly #all: WaitingRequest[] = []

  get size(): number {
    return this.#all.length
  }

  add(request: WaitingRequest): void {
    request.place = this.#all.push(request) - 1
  }

  delete(request: WaitingRequest): void {
    if (this.#all[request.place] !== request) return
    const last = this.#all.pop()
    if (last !== undefined && last !== request) {
      this.#all[request.place] = last
      last.place = request.place
    }
    request.place = -1
  }

  /** Tells all that stand here now. Each that moves takes itself out. */
  foundDown(): void {
    const now = this.#all.slice()
    for (const request of now) if (this.#all[request.place] === request) request.foundDown()
  }
}
