import { channel } from 'node:diagnostics_channel'

/** What is published on `limpet:selected`. */
export interface SelectedEvent {
  readonly pool: string
  readonly backend: string
  readonly status: string
}
/** On `limpet:answered`: the head of an answer is on its way to the client. */
export interface AnsweredEvent extends SelectedEvent {
  readonly statusCode: number
}
/** On `limpet:failed`: a backend did not answer, or not to the end. */
export interface FailedEvent {
  readonly pool: string
  readonly backend: string
  readonly failure: { readonly kind: string; readonly slow: boolean; readonly cause: unknown }
  /** Who has the request now; undefined when nobody could be given it. */
  readonly redispatchedTo: string | undefined
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

/**
 * The channels. A publisher asks `hasSubscribers` first, so that an event nobody listens to is not even made.
 */
export const selected = channel('limpet:selected')
export const answered = channel('limpet:answered')
export const failed = channel('limpet:failed')
export const released = channel('limpet:released')
export const refused = channel('limpet:refused')
export const policyFailed = channel('limpet:policy-failed')
