import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { HeaderFields, Lease, RequestHead } from '@limpet/core'
import {
  type Attempter,
  Attempts,
  type AttemptTimes,
  protocolError,
  RequestBody,
  type RequestRecord,
} from '@limpet/http-proxy/transport'
import type { FastifyReply } from 'fastify'
import type { Dispatcher } from 'undici'
import type { BackendConnection, BackendConnections, Sender } from './backend-connection.ts'
import { isLengthMismatch } from './failure.ts'
import { type Handler, HandlerInContext } from './handler-in-context.ts'
import { ResponseBody } from './response-body.ts'
import { withoutTraceFields } from './trace-fields.ts'

/** The head of a response, as reply-from expects it of a dispatcher. */
export interface Responded {
  readonly statusCode: number
  readonly headers: HeaderFields
  readonly body: { destroy(): void }
}

/** reply-from's callback: once, with an error or with the head of a response. */
export type OnResponded = (error: Error | null, responded?: Responded) => void

/**
 * One request: reacts to the events of undici, the decisions of the lease, and the close of the client's side.
 * Failover happens in here, below reply-from, where the body has not been touched yet.
 */
export class Exchange implements Handler, Sender, Attempter {
  readonly lease: Lease
  readonly reply: FastifyReply
  connection: BackendConnection | undefined
  /** The error for the client, once `onResponded` got an error. */
  error: Error | undefined
  /** The fields that the client gets. */
  fields: HeaderFields = {}
  /** The failure of the application's edit of the fields. */
  edit: { readonly error: unknown } | undefined
  readonly #request: RequestHead
  readonly #connections: BackendConnections
  readonly #body: RequestBody | Buffer | null
  readonly #attempts: Attempts
  readonly #inContext = new HandlerInContext(this)
  #onResponded: OnResponded | undefined
  #controller: Dispatcher.DispatchController | undefined
  #head: { statusCode: number; headers: HeaderFields } | undefined
  #chunks: Buffer[] = []
  #trailers: HeaderFields | undefined
  #stream: ResponseBody | undefined

  constructor(
    reply: FastifyReply,
    lease: Lease,
    request: RequestHead,
    connections: BackendConnections,
    times: AttemptTimes,
    body: RequestBody | Buffer | null,
    record: RequestRecord,
  ) {
    this.reply = reply
    this.lease = lease
    this.#request = request
    this.#connections = connections
    this.#body = body
    this.#attempts = new Attempts(lease, request, times, this, record)
  }

  /** Sends the request, and calls `onResponded` with the result; not when the client leaves first. */
  send(onResponded: OnResponded): void {
    this.#onResponded = onResponded
    this.#attempts.begin()
  }

  /** The status of the response, once its head is here. */
  get statusCode(): number {
    return this.#head?.statusCode ?? 0
  }

  /** The body of the response as it comes. Once. */
  stream(): Readable {
    const stream = this.#streamTo(this.reply.raw)
    for (const chunk of this.#chunks) stream.write(chunk)
    this.#chunks = []
    if (this.#trailers !== undefined) stream.complete(this.#trailers)
    return stream
  }

  /** Sends the response, whose head the reply has by now: whole if it is short, else as a stream. */
  respond(): void {
    const { reply } = this
    const head = this.#head
    if (head === undefined) return
    if (this.#trailers !== undefined && !hasFields(this.#trailers)) {
      const [first] = this.#chunks
      if (first === undefined) {
        reply.send()
        return
      }
      // Fastify would invent a type for a buffer that has none.
      if (reply.hasHeader('content-type')) {
        reply.send(this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks))
        return
      }
    }
    reply.send(this.stream())
  }

  /** The client's side has closed, at the end or before. */
  close(): void {
    this.#inContext.runInAsyncScope(() => this.#close())
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#attempts.started(this.connection !== undefined && this.connection.responses > 0)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: HeaderFields,
  ): void {
    // 100 and 103 announce a response; they are not it.
    if (statusCode < 200) return
    if (statusCode > 599) {
      controller.abort(protocolError(`status ${statusCode}`))
      return
    }
    if (!this.#attempts.responded(statusCode)) {
      // undici reports the error of an abort within this call, and with it the next attempt begins.
      controller.abort(new Error(`status ${statusCode} is retried`))
      return
    }
    this.#head = { statusCode, headers: this.lease.responded({ statusCode, headers }) }
    // A short response is complete by the time this chunk of the socket has been parsed, and is then sent whole.
    queueMicrotask(() => this.#deliver())
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stream === undefined) this.#chunks.push(chunk)
    else this.#stream.write(chunk)
  }

  onResponseEnd(_controller: Dispatcher.DispatchController | undefined, trailers: HeaderFields): void {
    if (this.connection !== undefined) {
      this.connection.responses += 1
      this.connection.over()
    }
    this.#trailers = trailers
    if (this.#stream === undefined) this.#deliver()
    else this.#stream.complete(trailers)
  }

  onResponseError(controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.connection?.over()
    if (this.#head?.statusCode === 304 && isLengthMismatch(error)) this.onResponseEnd(controller, {})
    else this.#attempts.failed(error)
  }

  attempt(isFresh: boolean): void {
    this.connection = undefined
    const { lease } = this
    const { dispatch, dispatchFresh } = this.#connections
    const send = isFresh ? dispatchFresh : dispatch
    send(
      lease.backend,
      {
        path: lease.target,
        method: this.#request.method,
        headers: withoutTraceFields(lease.requestLines()),
        body: this.#body,
        sender: this,
      },
      this.#inContext,
    )
  }

  abort(error: Error): void {
    this.#controller?.abort(error)
  }

  inScope(work: () => void): void {
    this.#inContext.runInAsyncScope(work)
  }

  gaveUp(error: Error): void {
    this.error = error
    const onResponded = this.#onResponded
    this.#onResponded = undefined
    if (onResponded !== undefined) onResponded(error)
    // The client has the head already: only a cut tells it that the rest is missing.
    else this.#stream?.destroy(error)
  }

  /** The request's body moves on. */
  progress(): void {
    this.#attempts.progress()
  }

  #close(): void {
    this.#attempts.close()
    if (this.#trailers === undefined) this.#controller?.abort(new Error('the client left'))
    if (this.#body instanceof RequestBody) this.#body.destroy()
    this.lease.release()
  }

  #deliver(): void {
    const onResponded = this.#onResponded
    if (onResponded === undefined || this.#head === undefined || this.#attempts.isOver) return
    this.#onResponded = undefined
    onResponded(null, { ...this.#head, body: { destroy: () => this.close() } })
  }

  #streamTo(client: ServerResponse): ResponseBody {
    const controller = this.#controller
    if (controller === undefined) throw new TypeError('no response yet')
    this.#stream = new ResponseBody(controller, client)
    return this.#stream
  }
}

function hasFields(fields: HeaderFields): boolean {
  return Object.keys(fields).length > 0
}
