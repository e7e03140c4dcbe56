import type { Explanation } from './explaining/explanation.ts'
import type { Failure } from './failure.ts'
import type { HeaderFields, ResponseHead } from './head.ts'
import type { Lease } from './lease.ts'
import type { Backend } from './pool/backend.ts'

/** Base of a lease around another: it hands every call on, and a subclass notes what it needs on the way. */
export abstract class WrappedLease implements Lease {
  readonly #lease: Lease

  constructor(lease: Lease) {
    this.#lease = lease
  }

  get backend(): Backend {
    return this.#lease.backend
  }

  get status(): Lease['status'] {
    return this.#lease.status
  }

  get client(): Lease['client'] {
    return this.#lease.client
  }

  get target(): string {
    return this.#lease.target
  }

  get explanation(): Explanation | undefined {
    return this.#lease.explanation
  }

  requestLines(): string[] {
    return this.#lease.requestLines()
  }

  connected(onDown?: () => void): void {
    this.#lease.connected(onDown)
  }

  failed(failure: Failure): void {
    this.#lease.failed(failure)
  }

  retries(statusCode: number): boolean {
    return this.#lease.retries(statusCode)
  }

  next(failure: Failure): Backend | undefined {
    return this.#lease.next(failure)
  }

  responded(response: ResponseHead): HeaderFields {
    return this.#lease.responded(response)
  }

  onceRecalled(listener: () => void): void {
    this.#lease.onceRecalled(listener)
  }

  release(): void {
    this.#lease.release()
  }
}
