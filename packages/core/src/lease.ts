import { AsyncResource } from 'node:async_hooks'
import type { Backend } from './pool/backend.ts'
import type { Client, TrustProxy } from './http/client.ts'
import * as diagnostics from './diagnostics.ts'
import { type Failure, mayRedispatch } from './failure.ts'
import { type HeaderFields, isHttp2, type RequestHead, type ResponseHead } from './head.ts'
import { requestLines } from './http/request-lines.ts'
import { originForm } from './http/refusal.ts'
import { responseFields } from './http/response-fields.ts'
import {
  type AffinityStatus,
  claimedView,
  type Decision,
  type DecisionContext,
} from './selection/decision.ts'
import type { AffinityPolicy } from './policies/policy.ts'
import { place } from './selection/placement.ts'
import { publishPolicyFailed } from './policies/policy-reading.ts'
import type { BackendView, Hold } from './pool/backend-view.ts'
import type { RetryBudget } from './selection/retry-budget.ts'

/** One request's hold on a backend, from its choice until the client's side closes. */
export interface Lease {
  /** The one being tried now; the one that answered, once it has. */
  readonly backend: Backend
  readonly status: AffinityStatus
  readonly client: Client
  /** The request target for the backend: origin-form, otherwise byte for byte. */
  readonly target: string
  /** The header lines for `backend`: name, value, name, value … Framing is the forwarder's to add. */
  requestLines(): string[]
  /** A connection to `backend` has the request. */
  connected(): void
  /**
   * `backend` did not answer. Moves to another that was not tried yet and returns it, or returns undefined
   * when there is none or the request must not be repeated; then the client is to get a BackendFailedError.
   */
  redispatch(failure: Failure): Backend | undefined
  /** The head of the answer is here: the header fields that the client is to get. Synchronous, once. */
  responded(response: ResponseHead): HeaderFields
  /**
   * Calls `listener` when the pool wants the request back, because its backend is to be left: what has no end of its
   * own, as a WebSocket, is to end then; at once, when that was before. Not after `release`.
   * The listener runs in the async context of this call.
   */
  onceRecalled(listener: () => void): void
  /** The client's side has closed. Idempotent. */
  release(): void
}

/** An affinity's options, compiled: what its leases work with. */
export interface LeaseContext extends DecisionContext {
  readonly policies: readonly AffinityPolicy[]
  readonly trusts: TrustProxy
  readonly maxAttempts: number
  readonly retryBudget: RetryBudget
  readonly preserveHost: boolean
  /** What all policies together do to a Cookie line. */
  readonly forwardCookie: (line: string, request: RequestHead) => string
}

export class HeldLease implements Lease {
  readonly status: AffinityStatus
  readonly client: Client
  readonly #context: LeaseContext
  readonly #request: RequestHead
  readonly #decision: Decision
  #view: BackendView
  #hold: Hold
  #tried: BackendView[] | undefined
  /** The first that had the request and did not answer: its fault, if another does. */
  #suspect: Hold | undefined
  #onRecall: (() => void) | undefined
  #isHeld = true

  constructor(context: LeaseContext, request: RequestHead, client: Client, decision: Decision) {
    this.#context = context
    this.#request = request
    this.#decision = decision
    this.#view = decision.view
    this.status = decision.status
    this.client = client
    this.#hold = context.pool.hold(decision.view)
    context.retryBudget.count()
  }

  get backend(): Backend {
    return this.#view.backend
  }

  get target(): string {
    return originForm(this.#request.url)
  }

  requestLines(): string[] {
    // A socket in the file system has no name of its own.
    const host = this.#view.backend.url.host || 'localhost'
    return requestLines(this.#request, this.client, {
      forwardCookie: line => this.#context.forwardCookie(line, this.#request),
      host: this.#context.preserveHost ? undefined : host,
      fallbackHost: host,
    })
  }

  connected(): void {
    if (diagnostics.connected.hasSubscribers)
      diagnostics.connected.publish({ pool: this.#context.pool.name, backend: this.#view.backend.id })
  }

  redispatch(failure: Failure): Backend | undefined {
    const { pool } = this.#context
    const from = this.#view
    this.#hold.failed(failure)
    if (failure.kind !== 'unreached') this.#suspect ??= this.#hold
    const to = this.#isHeld && this.#mayMove(failure) ? this.#next(failure) : undefined
    if (diagnostics.failed.hasSubscribers) {
      const redispatchedTo = to?.backend.id
      diagnostics.failed.publish({ pool: pool.name, backend: from.backend.id, failure, redispatchedTo })
    }
    if (to === undefined) return undefined
    this.#hold.release()
    this.#hold = pool.hold(to)
    this.#view = to
    return to.backend
  }

  responded(response: ResponseHead): HeaderFields {
    const { pool, policies } = this.#context
    const request = this.#request
    const { backend } = this.#view
    const { isSecure } = this.client
    this.#hold.responded(response.statusCode)
    this.#suspect?.blame()
    const fields = responseFields(response, isHttp2(request))
    for (let index = 0; index < policies.length; index += 1) {
      const policy = policies[index]
      const claim = this.#decision.claims[index]
      if (claim === undefined || policy?.write === undefined) continue
      const matched = claim.kind === 'backend' && claim.id === backend.id
      try {
        const written = policy.write({ request, response, backend, claim, matched, isSecure }, fields)
        if (written instanceof Promise)
          written.catch((error: unknown) => publishPolicyFailed(pool, policy, error))
      } catch (error) {
        publishPolicyFailed(pool, policy, error)
      }
    }
    if (diagnostics.responded.hasSubscribers) {
      const { statusCode } = response
      diagnostics.responded.publish({ pool: pool.name, backend: backend.id, status: this.status, statusCode })
    }
    return fields
  }

  onceRecalled(listener: () => void): void {
    const onRecall = AsyncResource.bind(listener)
    this.#onRecall = onRecall
    this.#hold.recalls.add(onRecall)
    if (this.#hold.isRecalled()) listener()
  }

  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    if (this.#onRecall !== undefined) this.#hold.recalls.delete(this.#onRecall)
    this.#hold.release()
    if (diagnostics.released.hasSubscribers) {
      diagnostics.released.publish({ pool: this.#context.pool.name, backend: this.#view.backend.id })
    }
  }

  #mayMove(failure: Failure): boolean {
    const { maxAttempts, onUnavailable } = this.#context
    if (this.status === 'matched' && onUnavailable === 'reject') return false
    return mayRedispatch(this.#request, failure) && (this.#tried?.length ?? 0) + 1 < maxAttempts
  }

  /** Never twice to one backend; to another that the client's keys name, before anybody else; to a draining one when no other is left. */
  #next({ kind }: Failure): BackendView | undefined {
    const tried = [...(this.#tried ?? []), this.#view]
    this.#tried = tried
    const context = this.#context
    const to = claimedView(context, this.#decision.read, tried) ?? place(context, this.#request, tried)
    if (to === undefined || kind === 'unreached' || context.retryBudget.take()) return to
    if (diagnostics.retryBudgetExhausted.hasSubscribers) {
      const { backend } = this.#view
      diagnostics.retryBudgetExhausted.publish({ pool: context.pool.name, backend: backend.id })
    }
    return undefined
  }
}
