import { AsyncResource } from 'node:async_hooks'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { EditLines } from './message-hooks.ts'

/** The events of an attempt. */
export interface AttemptEvents {
  /** Whether it must go by a connection that was never used. */
  readonly wantsFresh: boolean
  /** The lines that core leaves to the forwarder: how the message is framed. */
  readonly framing: readonly string[]
  /** The application's edits of the lines for a backend; undefined: there are none. */
  readonly editLines?: EditLines | undefined
  /** A live connection has it. */
  started(request: ClientRequest): void
  /** The head of a response. */
  responded(response: IncomingMessage): void
  /** No connection was to be had, or that which had the request has failed. */
  failed(error: Error): void
}

/**
 * Reports an attempt's events in the async context of its request. A backend's connection outlives requests: its
 * callbacks may run in the context of another client's request, or in none.
 */
export class EventsInContext extends AsyncResource implements AttemptEvents {
  readonly #events: AttemptEvents

  /** Captures the current context: that of the request. */
  constructor(events: AttemptEvents) {
    super('limpet.attempts')
    this.#events = events
  }

  get wantsFresh(): boolean {
    return this.#events.wantsFresh
  }

  get framing(): readonly string[] {
    return this.#events.framing
  }

  get editLines(): EditLines | undefined {
    const edit = this.#events.editLines
    return edit && ((lines, request) => this.runInAsyncScope(() => edit(lines, request)))
  }

  started(request: ClientRequest): void {
    this.runInAsyncScope(() => this.#events.started(request))
  }

  responded(response: IncomingMessage): void {
    this.runInAsyncScope(() => this.#events.responded(response))
  }

  failed(error: Error): void {
    this.runInAsyncScope(() => this.#events.failed(error))
  }
}
