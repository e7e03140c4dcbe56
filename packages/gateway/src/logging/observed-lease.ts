import type { Backend, Failure, HeaderFields, Lease, ResponseHead } from '@limpet/core'
import { attemptError, WrappedLease } from '@limpet/core/adapter'
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
export class ObservedLease extends WrappedLease {
  readonly #entry: Entry

  constructor(lease: Lease, entry: Entry) {
    super(lease)
    this.#entry = entry
    entry.selectedMs = performance.now()
    entry.client = lease.client.address
    entry.affinity = lease.status
    entry.backend = lease.backend.id
    entry.attempts = 1
  }

  override connected(onDown?: () => void): void {
    this.#entry.connectedMs = performance.now()
    super.connected(onDown)
  }

  override failed(failure: Failure): void {
    super.failed(failure)
    if (failure.kind === 'truncated') this.#entry.isCut = true
  }

  override next(failure: Failure): Backend | undefined {
    const backend = super.next(failure)
    if (backend !== undefined) {
      this.#entry.backend = backend.id
      this.#entry.attempts += 1
    } else if (failure.kind !== 'down' && failure.kind !== 'status') {
      this.#entry.status ??= attemptError(this.backend, failure).statusCode
    }
    return backend
  }

  override responded(response: ResponseHead): HeaderFields {
    this.#entry.headMs = performance.now()
    this.#entry.status = response.statusCode
    return super.responded(response)
  }
}
