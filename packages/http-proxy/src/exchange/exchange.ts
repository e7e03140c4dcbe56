import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Lease, RequestHead } from '@limpet/core'
import type { BackendResponse } from './backend-response.ts'
import { type Attempt, newAttempt } from './attempt.ts'
import { type AttemptEvents, EventsInContext } from './attempt-events.ts'
import { type Attempter, Attempts } from './attempts.ts'
import type { BackendAgents } from '../backend/backend-agent.ts'
import { protocolError } from '../failure.ts'
import type { RequestRecord } from './limpet-info.ts'
import { rawFields } from './raw-fields.ts'
import { RequestBody } from './request-body.ts'
import { framingLines } from './request-framing.ts'
import type { EditLines, MessageHooks } from './message-hooks.ts'
import type { Transport } from '../transport-options.ts'

/** The result of an exchange: a response, or an error for the client; neither when the client leaves first. */
export interface Outcome {
  responded(response: BackendResponse): void
  failed(error: Error): void
}

/** Gives an attempt to http-proxy-middleware. */
export type Forward = (attempt: Attempt) => void

/**
 * One request: reacts to the events of http-proxy-middleware, the decisions of the lease, and the close of the client's side.
 */
export class Exchange implements AttemptEvents, Attempter {
  wantsFresh = false
  readonly #lease: Lease
  readonly #request: RequestHead
  readonly #agents: BackendAgents
  readonly #body: RequestBody | Buffer | null
  readonly #transport: Transport
  readonly #forward: Forward
  readonly #hooks: MessageHooks | undefined
  readonly #attempts: Attempts
  readonly #inContext = new EventsInContext(this)
  #outcome: Outcome | undefined
  #sent: ClientRequest | undefined
  #response: IncomingMessage | undefined

  constructor(
    lease: Lease,
    request: RequestHead,
    agents: BackendAgents,
    body: RequestBody | Buffer | null,
    transport: Transport,
    forward: Forward,
    record?: RequestRecord,
    hooks?: MessageHooks,
  ) {
    this.#hooks = hooks
    this.#lease = lease
    this.#request = request
    this.#agents = agents
    this.#body = body
    this.#transport = transport
    this.#forward = forward
    this.#attempts = new Attempts(lease, request, transport, this, record)
  }

  send(outcome: Outcome): void {
    this.#outcome = outcome
    this.#attempts.begin()
  }

  /** The request's body moves on. */
  progress(): void {
    this.#attempts.progress()
  }

  /** The client's side has closed, at the end or before. */
  close(): void {
    this.#inContext.runInAsyncScope(() => this.#close())
  }

  get framing(): readonly string[] {
    return framingLines(this.#request, this.#body)
  }

  get editLines(): EditLines | undefined {
    return this.#hooks?.editLines
  }

  attempt(isFresh: boolean): void {
    this.wantsFresh = isFresh
    this.#sent = undefined
    const attempt = newAttempt(this.#lease, this.#request.method, this.#agents, this.#inContext, request =>
      this.#writeBody(request),
    )
    this.#forward(attempt)
  }

  inScope(work: () => void): void {
    this.#inContext.runInAsyncScope(work)
  }

  abort(error: Error): void {
    this.#sent?.destroy(error)
  }

  gaveUp(error: Error): void {
    // Where the client has the head of a response that was cut, the body's own error tells it so.
    if (this.#response === undefined) this.#outcome?.failed(error)
  }

  started(request: ClientRequest): void {
    this.#sent = request
    request.on('upgrade', refuseUpgrade)
    this.#attempts.started(request.reusedSocket)
  }

  responded(response: IncomingMessage): void {
    const statusCode = response.statusCode ?? 0
    if (statusCode < 200 || statusCode > 599) {
      response.destroy()
      this.failed(protocolError(`status ${statusCode}`))
    } else if (!this.#attempts.responded(statusCode)) {
      const error = new Error(`status ${statusCode} is retried`)
      response.on('error', () => undefined).destroy()
      // A request that was destroyed reports its failure by itself.
      if (this.#sent?.destroyed === false) this.failed(error)
    } else {
      this.#response = response
      this.#endUnfinished(response)
      response.once('error', error => this.#inContext.failed(error))
      const { idleTimeoutMs } = this.#transport
      if (idleTimeoutMs > 0)
        response.setTimeout(idleTimeoutMs, () => response.destroy(new Error('the response stopped')))
      const fields = rawFields(response.rawHeaders)
      // Node's agent looks at them, and would parse the lines once more.
      Object.assign(response, { headers: fields })
      this.#hooks?.rewriteFields?.(fields, statusCode, this.#lease.backend.url, this.#request)
      const headers = this.#lease.responded({ statusCode, headers: fields })
      this.#outcome?.responded({ statusCode, headers, body: response })
    }
  }

  failed(error: Error): void {
    this.#attempts.failed(error)
  }

  #close(): void {
    this.#attempts.close()
    const response = this.#response
    if (response?.complete !== true) this.#sent?.destroy()
    // The application has sent something else: the connection would wait for a reader.
    else if (!response.readableDidRead && !response.readableEnded) response.destroy()
    if (this.#body instanceof RequestBody) this.#body.destroy()
    this.#lease.release()
  }

  /** After an early response the connection does not wait for the rest of the request. */
  #endUnfinished(response: IncomingMessage): void {
    const sent = this.#sent
    if (sent === undefined || sent.writableFinished) return
    response.once('close', () => {
      if (!sent.writableFinished) sent.destroy()
    })
  }

  #writeBody(request: ClientRequest): void {
    const body = this.#body
    if (!(body instanceof RequestBody)) {
      request.end(body ?? undefined)
      return
    }
    body.once('error', error => request.destroy(error))
    body.pipe(request)
  }
}

/** Without a listener Node would keep the socket of an unrequested upgrade open. */
function refuseUpgrade(this: ClientRequest, _response: IncomingMessage, socket: Socket): void {
  socket.destroy()
  this.emit('error', protocolError('an unrequested upgrade'))
}
