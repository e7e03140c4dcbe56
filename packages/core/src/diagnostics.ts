import { channel } from 'node:diagnostics_channel'

/** On `limpet:selected`: a request has its backend. */
export interface SelectedEvent {
  readonly pool: string
  readonly backend: string
  readonly status: string
}
/** On `limpet:connected`: a connection to the backend has the request. */
export interface ConnectedEvent {
  readonly pool: string
  readonly backend: string
}
/** On `limpet:responded`: the head of a response is on its way to the client. */
export interface RespondedEvent extends SelectedEvent {
  readonly statusCode: number
}
/** On `limpet:failed`: an attempt at a backend failed. */
export interface FailedEvent {
  readonly pool: string
  readonly backend: string
  readonly failure: { readonly kind: string; readonly slow: boolean; readonly cause: unknown }
}
/** On `limpet:redispatched`: a request has moved to another backend. */
export interface RedispatchedEvent {
  readonly pool: string
  /** The backend that has the request now. */
  readonly backend: string
  /** The backend that had it. */
  readonly from: string
  /** The kind of failure that led to it. */
  readonly kind: string
}
/** On `limpet:session-moved`: a session was given a key of another backend than it had. */
export interface SessionMovedEvent {
  readonly pool: string
  /** The backend that has the session now. */
  readonly backend: string
  /** The backend that had it; empty where its key tells only that it has left the pool. */
  readonly from: string
  /** Why it has moved: `failed`, `drained`, `full`, `removed` or `rebalanced`. */
  readonly reason: string
}
/** On `limpet:released`: the client's side has closed. */
export interface ReleasedEvent {
  readonly pool: string
  readonly backend: string
}
/** On `limpet:refused`: no backend was chosen. */
export interface RefusedEvent {
  readonly pool: string
  readonly code: string
  readonly statusCode: number
}

/** On `limpet:policy-failed`: a policy could not be asked, or could not tell the client; the request goes on without it. */
export interface PolicyFailedEvent {
  readonly pool: string
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
  readonly state: string
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
  readonly outcome: string
  /** Requests that were still there. */
  readonly inFlight: number
  /** Sessions that were, where that is known. */
  readonly sessions: number | undefined
}
/** On `limpet:queued`: a request waits for room, at one backend or at any. */
export interface QueuedEvent {
  readonly pool: string
  /** Undefined: any will do. */
  readonly backend: string | undefined
}
/** On `limpet:retry-budget-exhausted`: a request could have been made again, and was not. */
export interface RetryBudgetExhaustedEvent {
  readonly pool: string
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

/**
 * The channels. A publisher checks `hasSubscribers` first, so that an event without a subscriber is not even made.
 */
export const selected = channel('limpet:selected')
export const connected = channel('limpet:connected')
export const responded = channel('limpet:responded')
export const failed = channel('limpet:failed')
export const redispatched = channel('limpet:redispatched')
export const sessionMoved = channel('limpet:session-moved')
export const released = channel('limpet:released')
export const refused = channel('limpet:refused')
export const policyFailed = channel('limpet:policy-failed')
export const healthChanged = channel('limpet:health-changed')
export const stateChanged = channel('limpet:state-changed')
export const membersChanged = channel('limpet:members-changed')
export const drained = channel('limpet:drained')
export const queued = channel('limpet:queued')
export const retryBudgetExhausted = channel('limpet:retry-budget-exhausted')
export const discoveryFailed = channel('limpet:discovery-failed')
export const discoveryRecovered = channel('limpet:discovery-recovered')
