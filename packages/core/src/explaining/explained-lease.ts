import type { Backend } from '../pool/backend.ts'
import type { Failure } from '../failure.ts'
import type { HeaderFields, RequestHead, ResponseHead } from '../head.ts'
import { keepPrivate } from '../http/cache-control.ts'
import type { Lease } from '../lease.ts'
import { WrappedLease } from '../wrapped-lease.ts'
import { DECISION_FIELD, decisionText } from './decision-field.ts'
import type { DecisionLog } from './decision-log.ts'
import type { Explanation } from './explanation.ts'

/** The lease of a request that asks for its decision: it logs the attempts, and gives the decision with the response. */
export class ExplainedLease extends WrappedLease {
  readonly #log: DecisionLog
  readonly #request: RequestHead

  constructor(lease: Lease, log: DecisionLog, request: RequestHead) {
    super(lease)
    this.#log = log
    this.#request = request
  }

  override get explanation(): Explanation {
    return this.#log.explanation
  }

  override failed(failure: Failure): void {
    this.#log.ended(failure.kind)
    super.failed(failure)
  }

  override next(failure: Failure): Backend | undefined {
    const backend = super.next(failure)
    if (backend !== undefined) this.#log.began(backend.id, failure.kind)
    return backend
  }

  override responded(response: ResponseHead): HeaderFields {
    this.#log.ended('responded', response.statusCode)
    const fields = super.responded(response)
    fields[DECISION_FIELD] = decisionText(this.explanation)
    // A shared cache would give the decision to clients without a token.
    keepPrivate({ request: this.#request, response }, fields)
    return fields
  }
}
