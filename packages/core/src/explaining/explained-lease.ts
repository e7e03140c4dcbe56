import type { Backend } from '../pool/backend.ts'
import type { Failure } from '../failure.ts'
import type { HeaderFields, RequestHead, ResponseHead } from '../head.ts'
import { keepPrivate } from '../http/cache-control.ts'
import type { Lease } from '../lease.ts'
import { DECISION_FIELD, decisionText } from './decision-field.ts'
import type { DecisionLog } from './decision-log.ts'
import type { Explanation } from './explanation.ts'

/** The lease of a request that asks for its decision: it logs the attempts, and gives the decision with the response. */
export class ExplainedLease implements Lease {
  readonly #lease: Lease
  readonly #log: DecisionLog
  readonly #request: RequestHead

  constructor(lease: Lease, log: DecisionLog, request: RequestHead) {
    this.#lease = lease
    this.#log = log
    this.#request = request
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

  get explanation(): Explanation {
    return this.#log.explanation
  }

  requestLines(): string[] {
    return this.#lease.requestLines()
  }

  connected(onDown?: () => void): void {
    this.#lease.connected(onDown)
  }

  failed(failure: Failure): void {
    this.#log.ended(failure.kind)
    this.#lease.failed(failure)
  }

  retries(statusCode: number): boolean {
    return this.#lease.retries(statusCode)
  }

  next(failure: Failure): Backend | undefined {
    const backend = this.#lease.next(failure)
    if (backend !== undefined) this.#log.began(backend.id, failure.kind)
    return backend
  }

  responded(response: ResponseHead): HeaderFields {
    this.#log.ended('responded', response.statusCode)
    const fields = this.#lease.responded(response)
    fields[DECISION_FIELD] = decisionText(this.explanation)
    // A shared cache would give the decision to clients without a token.
    keepPrivate({ request: this.#request, response }, fields)
    return fields
  }

  onceRecalled(listener: () => void): void {
    this.#lease.onceRecalled(listener)
  }

  release(): void {
    this.#lease.release()
  }
}
