import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { AffinityError } from './errors.ts'
import type { Failure, FailureKind } from './failure.ts'
import type { NodeRequest } from './http/heads.ts'
import type { AdminState } from './pool/backend.ts'
import type { DrainResult } from './pool/drain.ts'
import type { AffinityStatus } from './counts/affinity-status.ts'
import type { MoveReason } from './counts/backend-counts.ts'

/** An event of one request. */
export interface RequestEvent {
  readonly pool: string
  /**
   * Node's message: `req` of Express, `ctx.req` of Koa, `request.raw` of Fastify. Not enumerable, so that an event in a
   * log has no header field of a client. Undefined for a head that was not made by `requestHead`.
   */
  readonly request: NodeRequest | undefined
}

/** On `limpet:selected`: a request has its backend. */
export interface SelectedEvent extends RequestEvent {
  readonly backend: string
  readonly status: AffinityStatus
}
/** On `limpet:connected`: a connection to the backend has the request. */
export interface ConnectedEvent extends RequestEvent {
  readonly backend: string
}
/** On `limpet:responded`: the head of a response is on its way to the client. */
export interface RespondedEvent extends SelectedEvent {
  readonly statusCode: number
}
/** On `limpet:failed`: an attempt at a backend failed. */
export interface FailedEvent extends RequestEvent {
  readonly backend: string
  readonly failure: Failure
}
/** On `limpet:redispatched`: a request has moved to another backend. */
export interface RedispatchedEvent extends RequestEvent {
  /** The backend that has the request now. */
  readonly backend: string
  /** The backend that had it. */
  readonly from: string
  /** The kind of failure that led to it. */
  readonly kind: FailureKind
}
/** On `limpet:session-moved`: a session was given a key of another backend than it had. */
export interface SessionMovedEvent {
  readonly pool: string
  /** The backend that has the session now. */
  readonly backend: string
  /** The backend that had it; empty where its key tells only that it has left the pool. */
  readonly from: string
  /** Why it has moved: `failed`, `drained`, `full`, `removed` or `rebalanced`. */
  readonly reason: MoveReason
}
/** On `limpet:released`: the client's side has closed. */
export interface ReleasedEvent extends RequestEvent {
  readonly backend: string
}
/** On `limpet:refused`: no backend was chosen. */
export interface RefusedEvent extends RequestEvent {
  readonly code: AffinityError['code']
  readonly statusCode: number
}

/** On `limpet:policy-failed`: a policy could not be asked, or could not tell the client; the request goes on without it. */
export interface PolicyFailedEvent extends RequestEvent {
  readonly policy: string
  readonly error: unknown
}

/** On `limpet:health-changed`: a backend was found down, or up again. */
export interface HealthChangedEvent {
  readonly pool: string
  readonly backend: string
  readonly healthy: boolean
  /** The witness: a health check, requests, or discovery. */
  readonly by: 'check' | 'requests' | 'discovery'
  /** The reason of the check. */
  readonly reason: string | undefined
}
/** On `limpet:state-changed`: an operator has changed a backend's state. */
export interface StateChangedEvent {
  readonly pool: string
  readonly backend: string
  readonly state: AdminState
  /** An operator or the configuration, or the backend itself by its response to a health check. */
  readonly by: 'command' | 'backend'
}
/** On `limpet:members-changed`: backends have come or gone. One with another url has done both. */
export interface MembersChangedEvent {
  readonly pool: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
}
/** On `limpet:drained`: a drain is over. */
export interface DrainedEvent {
  readonly pool: string
  readonly backend: string
  readonly outcome: DrainResult['outcome']
  /** Requests that were still there. */
  readonly inFlight: number
  /** Sessions that were; undefined when they are not counted. */
  readonly sessions: number | undefined
  /** `sessions` are those that this process has seen: there may be more from before it. */
  readonly sessionsEstimated: boolean
}
/** On `limpet:queued`: a request waits for room, at one backend or at any. */
export interface QueuedEvent extends RequestEvent {
  /** Undefined: any will do. */
  readonly backend: string | undefined
}
/** On `limpet:retry-budget-exhausted`: a request could have been made again, and was not. */
export interface RetryBudgetExhaustedEvent extends RequestEvent {
  readonly backend: string
}
/** On `limpet:discovery-failed`: a source could not be read completely; known backends stay. */
export interface DiscoveryFailedEvent {
  readonly pool: string
  readonly name: string
  readonly error: unknown
}
/** On `limpet:discovery-recovered`: a source that had failed has been read to its end again. */
export interface DiscoveryRecoveredEvent {
  readonly pool: string
  readonly name: string
}

/** The event of each channel. */
export interface LimpetEvents {
  readonly 'limpet:selected': SelectedEvent
  readonly 'limpet:connected': ConnectedEvent
  readonly 'limpet:responded': RespondedEvent
  readonly 'limpet:failed': FailedEvent
  readonly 'limpet:redispatched': RedispatchedEvent
  readonly 'limpet:session-moved': SessionMovedEvent
  readonly 'limpet:released': ReleasedEvent
  readonly 'limpet:refused': RefusedEvent
  readonly 'limpet:policy-failed': PolicyFailedEvent
  readonly 'limpet:health-changed': HealthChangedEvent
  readonly 'limpet:state-changed': StateChangedEvent
  readonly 'limpet:members-changed': MembersChangedEvent
  readonly 'limpet:drained': DrainedEvent
  readonly 'limpet:queued': QueuedEvent
  readonly 'limpet:retry-budget-exhausted': RetryBudgetExhaustedEvent
  readonly 'limpet:discovery-failed': DiscoveryFailedEvent
  readonly 'limpet:discovery-recovered': DiscoveryRecoveredEvent
}

/** The name of a channel. */
export type LimpetChannel = keyof LimpetEvents

/**
 * Calls `listener` with every event of a channel, in the async context of the request that the event is about.
 * @returns a function that ends it
 */
export function onEvent<Name extends LimpetChannel>(
  name: Name,
  listener: (event: LimpetEvents[Name]) => void,
): () => void {
  const onMessage = (event: unknown): void => listener(event as LimpetEvents[Name])
  subscribe(name, onMessage)
  return () => void unsubscribe(name, onMessage)
}

/** An event of `request`, which it gets as a property. */
export function eventOf<Event extends Omit<RequestEvent, 'request'>>(
  request: NodeRequest | undefined,
  event: Event,
): Event & RequestEvent {
  return Object.defineProperty(event, 'request', { value: request }) as Event & RequestEvent
}

interface EventChannel<Event> {
  readonly hasSubscribers: boolean
  publish(event: Event): void
}

function eventChannel<Name extends LimpetChannel>(name: Name): EventChannel<LimpetEvents[Name]> {
  return channel(name)
}

/**
 * The channels. A publisher checks `hasSubscribers` first, so that an event without a subscriber is not even made.
 */
export const selected = eventChannel('limpet:selected')
export const connected = eventChannel('limpet:connected')
export const responded = eventChannel('limpet:responded')
export const failed = eventChannel('limpet:failed')
export const redispatched = eventChannel('limpet:redispatched')
export const sessionMoved = eventChannel('limpet:session-moved')
export const released = eventChannel('limpet:released')
const refused = eventChannel('limpet:refused')
export const policyFailed = eventChannel('limpet:policy-failed')
export const healthChanged = eventChannel('limpet:health-changed')
export const stateChanged = eventChannel('limpet:state-changed')
export const membersChanged = eventChannel('limpet:members-changed')
export const drained = eventChannel('limpet:drained')
export const queued = eventChannel('limpet:queued')
export const retryBudgetExhausted = eventChannel('limpet:retry-budget-exhausted')
export const discoveryFailed = eventChannel('limpet:discovery-failed')
export const discoveryRecovered = eventChannel('limpet:discovery-recovered')

/** Publishes that `error` is the response to a request of `pool`, for an adapter that refuses requests itself. */
export function publishRefused(pool: string, request: NodeRequest | undefined, error: AffinityError): void {
  if (!refused.hasSubscribers) return
  const { code, statusCode } = error
  refused.publish(eventOf(request, { pool, code, statusCode }))
}
