import type { Backend, Failure, HeaderFields, Lease, ResponseHead } from '@limpet/core'
import { attemptError } from '@limpet/core/adapter'
import type { RequestTrace } from './request-trace.ts'

/** Bytes of a connection so far. */
export interface Carried {
  readonly read: number
  readonly written: number
}

/** The log entry of one request. Times are in milliseconds, from its head's arrival. */
export interface Entry {
  readonly startedMs: number
  readonly trace: RequestTrace | undefined
  /** Bytes that the connection had carried before. */
  readonly before: Carried
  /** The socket's remote address, until the client behind a proxy is known. */
  client: string | undefined
  pool: string | undefined
  backend: string | undefined
  affinity: string | undefined
  attempts: number
  selectedMs: number | undefined
  connectedMs: number | undefined
  headMs: number | undefined
  /** Of the backend's response, or of ours when there was none; undefined: not known here. */
  status: number | undefined
  isCut: boolean
}

/** A lease that logs the course of its request. */
export class ObservedLease implements Lease {
  readonly #lease: Lease
  readonly #entry: Entry

  constructor(lease: Lease, entry: Entry) {
    this.#lease = lease
    this.#entry = entry
    entry.selectedMs = performance.now()
    entry.client = lease.client.address
    entry.affinity = lease.status
    entry.backend = lease.backend.id
    entry.attempts = 1
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

  get explanation(): Lease['explanation'] {
    return this.#lease.explanation
  }

  requestLines(): string[] {
    return this.#lease.requestLines()
  }

  connected(onDown?: () => void): void {
    this.#entry.connectedMs = performance.now()
    this.#lease.connected(onDown)
  }

  failed(failure: Failure): void {
    this.#lease.failed(failure)
    if (failure.kind === 'truncated') this.#entry.isCut = true
  }

  retries(statusCode: number): boolean {
    return this.#lease.retries(statusCode)
  }

  next(failure: Failure): Backend | undefined {
    const backend = this.#lease.next(failure)
    if (backend !== undefined) {
      this.#entry.backend = backend.id
      this.#entry.attempts += 1
    } else if (failure.kind !== 'down' && failure.kind !== 'status') {
      this.#entry.status ??= attemptError(this.#lease.backend, failure).statusCode
    }
    return backend
  }

  responded(response: ResponseHead): HeaderFields {
    this.#entry.headMs = performance.now()
    this.#entry.status = response.statusCode
    return this.#lease.responded(response)
  }

  onceRecalled(listener: () => void): void {
    this.#lease.onceRecalled(listener)
  }

  release(): void {
    this.#lease.release()
  }
}
