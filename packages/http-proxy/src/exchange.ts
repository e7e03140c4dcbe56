import type { ClientRequest, IncomingMessage } from 'node:http'
import {
  type AffinityError,
  BackendFailedError,
  type HeaderFields,
  isAffinityError,
  isRepeatable,
  type Lease,
  type RequestHead,
} from '@limpet/core'
import { type Attempt, type AttemptEvents, newAttempt } from './attempt.ts'
import type { BackendAgents } from './backend-agent.ts'
import { failureOf, protocolError, responseTimeout } from './failure.ts'
import { rawFields } from './raw-fields.ts'
import { RequestBody } from './request-body.ts'
import type { Transport } from './transport-options.ts'

/** A backend's answer, as the client is to get it. */
export interface Answer {
  readonly statusCode: number
  readonly headers: HeaderFields
  /** Fails when the backend dies in the middle: only a cut tells the client that the rest is missing. */
  readonly body: IncomingMessage
}

/** What becomes of an exchange: an answer, or an error to tell the client; neither when the client leaves first. */
export interface Outcome {
  answered(answer: Answer): void
  failed(error: AffinityError): void
}

/** Gives an attempt to http-proxy-middleware. */
export type Forward = (attempt: Attempt) => void

/**
 * One request on its way: what http-proxy-middleware tells, the lease decides, and the client's closing ends.
 */
export class Exchange implements AttemptEvents {
  /** A used connection has died under it. */
  wantsFresh = false
  readonly #lease: Lease
  readonly #request: RequestHead
  readonly #agents: BackendAgents
  readonly #body: RequestBody | Buffer | null
  readonly #transport: Transport
  readonly #forward: Forward
  #outcome: Outcome | undefined
  #sent: ClientRequest | undefined
  #answer: IncomingMessage | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(
    lease: Lease,
    request: RequestHead,
    agents: BackendAgents,
    body: RequestBody | Buffer | null,
    transport: Transport,
    forward: Forward,
  ) {
    this.#lease = lease
    this.#request = request
    this.#agents = agents
    this.#body = body
    this.#transport = transport
    this.#forward = forward
  }

  send(outcome: Outcome): void {
    this.#outcome = outcome
    if (isRepeatable(this.#request)) this.#attempt()
    // What cannot be repeated had better not meet a connection whose end has arrived and was not looked at yet:
    // by the next turn of the event loop it has been.
    else setImmediate(() => this.#attempt())
  }

  /** The client's side has closed, at the end or before. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#answer?.complete !== true) this.#sent?.destroy()
    if (this.#body instanceof RequestBody) this.#body.destroy()
    this.#lease.release()
  }

  started(request: ClientRequest): void {
    this.#sent = request
    // Nobody asked for another protocol, and Node would wait for somebody to take it.
    request.once('upgrade', (_response, socket) => {
      socket.destroy()
      this.failed(protocolError('an upgrade that nobody asked for'))
    })
    if (this.#isClosed) request.destroy()
    else this.#startTimer(request)
  }

  unreached(error: Error): boolean {
    return !this.#isClosed && this.#lease.redispatch(failureOf(error, false, false)) !== undefined
  }

  /** The request's body moves on: a long upload is not a slow answer. */
  progress(): void {
    if (this.#answer === undefined) this.#timer?.refresh()
  }

  answered(response: IncomingMessage): void {
    const statusCode = response.statusCode ?? 0
    clearTimeout(this.#timer)
    if (this.#isClosed) {
      response.destroy()
    } else if (statusCode < 200 || statusCode > 599) {
      response.destroy()
      this.failed(protocolError(`status ${statusCode}`))
    } else {
      this.#answer = response
      const { idleTimeoutMs } = this.#transport
      if (idleTimeoutMs > 0)
        response.setTimeout(idleTimeoutMs, () => response.destroy(new Error('the answer stopped')))
      const headers = this.#lease.answered({ statusCode, headers: rawFields(response.rawHeaders) })
      this.#outcome?.answered({ statusCode, headers, body: response })
    }
  }

  failed(error: Error): void {
    clearTimeout(this.#timer)
    if (this.#isClosed || this.#outcome === undefined) return
    if (isAffinityError(error)) {
      this.#fail(error)
      return
    }
    const failure = failureOf(error, this.#sent !== undefined, this.#answer !== undefined)
    if (failure.kind === 'broken' && this.#isStale()) {
      this.wantsFresh = true
      this.#attempt()
    } else if (failure.kind !== 'unreached' && this.#lease.redispatch(failure) !== undefined) {
      this.#attempt()
    } else {
      // The client has the head of an answer that was cut; the body's own error tells it so.
      this.#fail(new BackendFailedError(this.#lease.backend, failure))
    }
  }

  #attempt(): void {
    if (this.#isClosed) return
    this.#sent = undefined
    this.#forward(
      newAttempt(this.#lease, this.#request.method, this.#agents, this, request => this.#writeBody(request)),
    )
  }

  #writeBody(request: ClientRequest): void {
    const body = this.#body
    // httpxy writes a length of 0 for methods that seldom have a body, and this one may.
    if (this.#request.headers['content-length'] === undefined) request.removeHeader('content-length')
    if (!(body instanceof RequestBody)) {
      // Bytes that a parser has kept may have come in chunks. Node would write them after a GET with no framing at all.
      if (body !== null) request.setHeader('content-length', body.length)
      request.end(body ?? undefined)
      return
    }
    // Without it Node would write the body of a GET or DELETE with no framing at all (RFC 9112 §6.3).
    if (!request.hasHeader('content-length')) request.setHeader('transfer-encoding', 'chunked')
    body.once('error', error => request.destroy(error))
    body.pipe(request)
  }

  /**
   * A used connection that dies under a request says nothing of the backend, and the session is to stay there. Once:
   * then it goes by a fresh connection, whose end is the backend's doing.
   */
  #isStale(): boolean {
    return this.#sent?.reusedSocket === true && !this.wantsFresh && isRepeatable(this.#request)
  }

  #startTimer(request: ClientRequest): void {
    const ms = this.#transport.responseTimeoutMs
    if (ms > 0) this.#timer = setTimeout(() => request.destroy(responseTimeout(ms)), ms)
  }

  #fail(error: AffinityError): void {
    const outcome = this.#outcome
    this.#outcome = undefined
    outcome?.failed(error)
  }
}
