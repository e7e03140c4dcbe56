import { AsyncResource } from 'node:async_hooks'
import type { Backend } from './pool/backend.ts'
import type { Client, TrustProxy } from './http/client.ts'
import type { AffinityStatus } from './counts/affinity-status.ts'
import type { MoveReason } from './counts/backend-counts.ts'
import { ticksNow, ticksSince } from './counts/ticks.ts'
import * as diagnostics from './diagnostics.ts'
import { type Failure, isRepeatable, mayRedispatch } from './failure.ts'
import { type HeaderFields, isHttp2, type RequestHead, type ResponseHead } from './head.ts'
import { type FieldForwarding, requestLines } from './http/request-lines.ts'
import { originForm } from './http/refusal.ts'
import { underBase } from './http/target.ts'
import { keepPrivate } from './http/cache-control.ts'
import { responseFields } from './http/response-fields.ts'
import { addServerTiming } from './server-timing.ts'
import { claimedView, type Decision, type DecisionContext } from './selection/decision.ts'
import { moveReason } from './selection/move-reason.ts'
import type { AffinityPolicy } from './policies/policy.ts'
import { place } from './selection/placement.ts'
import { type ReportedSession, writeKeys } from './policies/policy-writing.ts'
import type { Lease } from './lease.ts'
import { LeaseSession } from './session-report.ts'
import type { BackendView, Hold } from './pool/backend-view.ts'
import type { WaitingRequest } from './pool/waiting-requests.ts'
import type { RetryBudget } from './selection/retry-budget.ts'
import type { RetryOn } from './selection/retry-on.ts'

/** An affinity's options, compiled for its leases. */
export interface LeaseContext extends DecisionContext {
  readonly policies: readonly AffinityPolicy[]
  readonly trusts: TrustProxy
  readonly maxAttempts: number
  readonly retryOn: RetryOn
  readonly retryBudget: RetryBudget
  readonly preserveHost: boolean
  readonly serverTiming: boolean
  readonly forwarding: FieldForwarding
}

export class HeldLease implements Lease, ReportedSession, WaitingRequest {
  readonly status: AffinityStatus
  readonly client: Client
  /** @see WaitingRequest */
  place = -1
  readonly #context: LeaseContext
  readonly #request: RequestHead
  readonly #decision: Decision
  #view: BackendView
  #hold: Hold
  #tried: BackendView[] | undefined
  /** The first backend that received the request and did not respond: its fault, if another does. */
  #suspect: Hold | undefined
  /** How often it was sent, or is being sent. */
  #attempts = 1
  /** A backend may have seen it: from then on each attempt costs some of the retry budget. */
  #isSeen = false
  /** The cost of an attempt was paid, and no backend has seen that attempt yet. */
  #isPaid = false
  #hasRepeated = false
  #hasTimedOut = false
  #onDown: (() => void) | undefined
  #onRecall: (() => void) | undefined
  #isHeld = true
  /** When the request has arrived, and when it was given its present backend. */
  readonly #arrivedTicks: number
  #heldTicks: number
  #isTunnel = false
  /** Why the session's backend did not get the request, as it was at the decision. */
  readonly #reason: MoveReason | undefined
  #session: LeaseSession | undefined

  /** @param arrivedTicks when the request has arrived, if it had to wait since @default now */
  constructor(
    context: LeaseContext,
    request: RequestHead,
    client: Client,
    decision: Decision,
    arrivedTicks?: number,
  ) {
    this.#context = context
    this.#request = request
    this.#decision = decision
    this.#view = decision.view
    this.status = decision.status
    this.client = client
    this.#hold = context.pool.hold(decision.view)
    this.#heldTicks = ticksNow()
    this.#arrivedTicks = arrivedTicks ?? this.#heldTicks
    this.#reason = decision.status === 'unavailable' ? moveReason(context, decision.claims) : undefined
    context.retryBudget.count()
  }

  get backend(): Backend {
    return this.#view.backend
  }

  get target(): string {
    const target = this.#request.target ?? originForm(this.#request.url)
    const { pathname, protocol } = this.#view.backend.url
    return pathname === '/' || protocol === 'unix:' ? target : underBase(pathname, target)
  }

  requestLines(): string[] {
    // A socket in the file system has no name of its own.
    const host = this.#view.backend.url.host || 'localhost'
    return requestLines(this.#request, this.client, {
      forwarding: this.#context.forwarding,
      host: this.#context.preserveHost ? undefined : host,
      fallbackHost: host,
    })
  }

  connected(onDown?: () => void): void {
    this.#sees()
    if (onDown !== undefined && this.#isHeld && isRepeatable(this.#request)) {
      this.#onDown = onDown
      this.#hold.waiting.add(this)
    }
    if (diagnostics.connected.hasSubscribers) diagnostics.connected.publish(this.#event({}))
  }

  foundDown(): void {
    this.#onDown?.()
  }

  failed(failure: Failure): void {
    this.#stopWaiting()
    if (failure.kind !== 'unreached' && failure.kind !== 'local') this.#sees()
    // The next attempt by a fresh connection shows whether anything is wrong with the backend.
    if (this.#isStale(failure)) return
    const { kind } = failure
    if (kind !== 'local') {
      if (kind !== 'unreached') this.#suspect ??= this.#hold
      this.#hold.failed(failure)
    }
    if (diagnostics.failed.hasSubscribers) diagnostics.failed.publish(this.#event({ failure }))
  }

  retries(statusCode: number): boolean {
    return this.#context.retryOn.statuses.has(statusCode) && isRepeatable(this.#request)
  }

  next(failure: Failure): Backend | undefined {
    if (!this.#isHeld || this.#attempts >= this.#context.maxAttempts) return undefined
    if (!mayRedispatch(this.#request, failure, this.#context.retryOn)) return undefined
    if (this.#isStale(failure)) {
      if (!this.#pays()) return undefined
      this.#hasRepeated = true
      this.#attempts += 1
      return this.#view.backend
    }
    const to = this.#mayLeave(failure) ? this.#other() : undefined
    if (to === undefined || !this.#pays()) return undefined
    this.#attempts += 1
    this.#move(to, failure)
    return to.backend
  }

  responded(response: ResponseHead): HeaderFields {
    const { pool, policies, retryOn } = this.#context
    const request = this.#request
    this.#stopWaiting()
    this.#hold.responded(response.statusCode)
    this.#count(response.statusCode)
    const fields = responseFields(response, isHttp2(request))
    const isFailure = retryOn.statuses.has(response.statusCode)
    if (!isFailure) this.#suspect?.blame()
    const { backend } = this.#view
    const { claims } = this.#decision
    const { isSecure } = this.client
    writeKeys(pool, policies, { request, response, backend, isSecure, isFailure, claims }, this, fields)
    // A shared cache would give the response of a backend in maintenance to every client.
    if (this.#decision.isPinned === true) keepPrivate({ request, response }, fields)
    if (this.#context.serverTiming) addServerTiming(fields, this.status, ticksSince(this.#arrivedTicks))
    if (diagnostics.responded.hasSubscribers) {
      const { statusCode } = response
      diagnostics.responded.publish(this.#event({ status: this.status, statusCode }))
    }
    return fields
  }

  get session(): LeaseSession {
    return (this.#session ??= new LeaseSession(
      this.#context.pool,
      this.#decision,
      this.#view,
      this.#hold.counts,
      this.#reason,
      this.#tried,
    ))
  }

  #count(statusCode: number): void {
    const { counts } = this.#hold
    counts.responded(statusCode, ticksSince(this.#heldTicks))
    this.#context.pool.counts.affinity[this.status] += 1
    if (statusCode !== 101) return
    this.#isTunnel = true
    counts.tunnels += 1
  }

  onceRecalled(listener: () => void): void {
    const onRecall = AsyncResource.bind(listener)
    this.#onRecall = onRecall
    const sessionId = this.#sessionId
    this.#hold.recalls.set(onRecall, sessionId)
    // A pin reaches a backend that its sessions have left.
    if (this.#decision.isPinned !== true && this.#hold.isRecalled(sessionId)) listener()
  }

  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#stopWaiting()
    if (this.#onRecall !== undefined) this.#hold.recalls.delete(this.#onRecall)
    this.#hold.release()
    if (this.#isTunnel) this.#hold.counts.tunnels -= 1
    else this.#context.pool.counts.durations.record(ticksSince(this.#arrivedTicks))
    if (diagnostics.released.hasSubscribers) diagnostics.released.publish(this.#event({}))
  }

  /** The session of its backend, where a policy tells. */
  get #sessionId(): string | undefined {
    const { id } = this.#view.backend
    for (const claim of this.#decision.claims)
      if (claim.kind === 'backend' && claim.id === id && claim.sessionId !== undefined) return claim.sessionId
    return undefined
  }

  /** A backend may have seen this attempt. */
  #sees(): void {
    this.#isSeen = true
    this.#isPaid = false
  }

  /** A reused connection broke, and the request may be sent once more: to the same backend, by a fresh one. */
  #isStale({ kind, reused }: Failure): boolean {
    return kind === 'broken' && reused === true && !this.#hasRepeated && isRepeatable(this.#request)
  }

  /** Whether the session may go to another backend for that. */
  #mayLeave({ kind }: Failure): boolean {
    const isKept = this.status === 'matched'
    if (isKept && this.#context.onUnavailable === 'reject') return false
    if (kind !== 'timeout') return true
    // A slow response is not a dead backend: a session stays, and a request without one is given to one other.
    if (isKept && this.#view === this.#decision.view && this.#view.isUsable) return false
    const isFirst = !this.#hasTimedOut
    this.#hasTimedOut = true
    return isFirst
  }

  /** Never a backend that was tried. Backends that the client's keys name come first, and draining ones last. */
  #other(): BackendView | undefined {
    const tried = [...(this.#tried ?? []), this.#view]
    const context = this.#context
    return claimedView(context, this.#decision.read, tried) ?? place(context, this.#request, tried)
  }

  /** Whether the retry budget has room for another attempt. One that no backend has seen costs nothing. */
  #pays(): boolean {
    if (!this.#isSeen || this.#isPaid) return true
    this.#isPaid = this.#context.retryBudget.take()
    if (!this.#isPaid) this.#context.pool.counts.retriesDenied += 1
    if (!this.#isPaid && diagnostics.retryBudgetExhausted.hasSubscribers)
      diagnostics.retryBudgetExhausted.publish(this.#event({}))
    return this.#isPaid
  }

  #move(to: BackendView, { kind }: Failure): void {
    const { pool } = this.#context
    const from = this.#view.backend.id
    this.#stopWaiting()
    this.#tried = [...(this.#tried ?? []), this.#view]
    this.#hold.release()
    this.#hold.counts.redispatchedFrom += 1
    this.#hold = pool.hold(to)
    this.#heldTicks = ticksNow()
    this.#hold.counts.redispatchedTo += 1
    this.#view = to
    if (diagnostics.redispatched.hasSubscribers) diagnostics.redispatched.publish(this.#event({ from, kind }))
  }

  /** An event of this request, at its backend. */
  #event<Fields extends object>(
    fields: Fields,
  ): { pool: string; backend: string } & Fields & diagnostics.RequestEvent {
    const { pool } = this.#context
    return diagnostics.eventOf(this.#request.message, {
      pool: pool.name,
      backend: this.backend.id,
      ...fields,
    })
  }

  #stopWaiting(): void {
    if (this.#onDown === undefined) return
    this.#hold.waiting.delete(this)
    this.#onDown = undefined
  }
}
