import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { RespondedEvent } from '@limpet/core'
import { onTestFinished } from 'vitest'
import type { Around } from '../contract/harness.ts'

/** Channels on which limpet publishes the events of a request. */
const REQUEST_CHANNELS = [
  'selected',
  'queued',
  'connected',
  'responded',
  'failed',
  'released',
  'refused',
  'policy-failed',
].map(name => `limpet:${name}`)

/** Channels on which undici and node:http publish that they are given a request. */
const ATTEMPT_CHANNELS = ['undici:request:create', 'http.client.request.created', 'http.client.request.start']

/** A thing that happened to a request. */
interface Note {
  readonly what: string
  /** The user in whose async context it happened. */
  readonly user: string | undefined
}

/**
 * An application that runs each request in an async context of its own, the user that `X-User` names, and notes in
 * which context hooks, error handlers and diagnostics events run. Clients must not be those of node:http or undici:
 * their own events would be noted.
 */
export class ContextNotes implements Around {
  readonly #users = new AsyncLocalStorage<string>()
  #notes: Note[] = []

  /** Notes until the test ends. */
  constructor() {
    for (const [name, what] of [
      ...REQUEST_CHANNELS.map(channel => [channel, channel] as const),
      ...ATTEMPT_CHANNELS.map(channel => [channel, 'attempt'] as const),
    ]) {
      const listener = (): void => this.note(what)
      subscribe(name, listener)
      onTestFinished(() => void unsubscribe(name, listener))
    }
  }

  /** The status of the response to each user, as the events tell that are published in the user's context. */
  answeredStatuses(): Map<string | undefined, number> {
    const statuses = new Map<string | undefined, number>()
    const listener = (event: unknown): void => {
      statuses.set(this.user, (event as RespondedEvent).statusCode)
    }
    subscribe('limpet:responded', listener)
    onTestFinished(() => void unsubscribe('limpet:responded', listener))
    return statuses
  }

  /** The user in whose context this is called. */
  get user(): string | undefined {
    return this.#users.getStore()
  }

  enter<T>(request: IncomingMessage, next: () => T): T {
    return this.#users.run(String(request.headers['x-user']), next)
  }

  onResponse(): void {
    this.note('response hook')
  }

  onError(): void {
    this.note('error handler')
  }

  note(what: string): void {
    this.#notes.push({ what, user: this.user })
  }

  /** How often `what` was noted since notes were last taken. */
  count(what: string): number {
    return this.#notes.filter(note => note.what === what).length
  }

  /** The notes since the last time, without their repetitions: for each user what happened in that user's context. */
  take(): Readonly<Record<string, readonly string[]>> {
    const taken: Record<string, string[]> = {}
    for (const { what, user = 'nobody' } of this.#notes) {
      const list = (taken[user] ??= [])
      if (!list.includes(what)) list.push(what)
    }
    this.#notes = []
    return taken
  }
}
