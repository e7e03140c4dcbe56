import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Backend, HeaderFields, Lease, RequestView } from '@limpet/core'
import { attemptError, editResponse, InvalidEditError } from '@limpet/core/adapter'
import type { BackendResponse } from '../exchange/backend-response.ts'
import type { HandshakeHooks, MessageHooks, RewriteFields } from '../exchange/message-hooks.ts'
import { failureOf, isProtocolError } from '../failure.ts'
import type { Logger } from '../logging/logger.ts'
import type { Rewriting } from '../node-proxy-options.ts'
import { ErrorListener } from './error-listener.ts'
import { editor, rewriteFieldsOf } from './head-edits.ts'
import { responseForListener, responseOfListener } from './listener-response.ts'
import { checkedFields } from './response-fields.ts'
import { settle } from './settle.ts'

type Resolve = (received: BackendResponse | undefined) => void
type Reject = (error: unknown) => void

/** The functions of the application that see and edit messages on their way. */
export class Hooks {
  readonly #options: Rewriting
  /** The listener `on.error`. */
  readonly errors: ErrorListener
  readonly #rewriteFields: RewriteFields | undefined
  readonly #pool: string

  /** @param pool its name */
  constructor(options: Rewriting, logger: Logger | false, pool: string) {
    this.#options = options
    this.#pool = pool
    this.errors = new ErrorListener(options, logger)
    this.#rewriteFields = rewriteFieldsOf(options)
  }

  /**
   * The application's view of a request.
   * @throws whatever the application's functions throw
   */
  view(request: IncomingMessage, given: string | RequestView | undefined): RequestView | undefined {
    const { rewritePath, rewriteRequestHeaders } = this.#options
    let view = typeof given === 'string' ? { url: given } : given
    if (rewritePath !== undefined) {
      const before = view?.url ?? request.url ?? ''
      const target = rewritePath(before, request)
      if (target !== before) view = { ...view, target }
    }
    if (rewriteRequestHeaders === undefined) return view
    const headers: unknown = rewriteRequestHeaders(request, { ...(view?.headers ?? request.headers) })
    if (typeof headers !== 'object' || headers === null)
      throw new InvalidEditError('rewriteRequestHeaders', 'is no object of header fields')
    return { ...view, headers: headers as HeaderFields }
  }

  /** Undefined: the application has no part in it. */
  ofRequest(request: IncomingMessage, response: ServerResponse): MessageHooks | undefined {
    const proxyReq = this.#options.on?.proxyReq
    if (proxyReq === undefined && this.#rewriteFields === undefined) return undefined
    return {
      editLines: proxyReq && editor('proxyReq', head => proxyReq(head, request, response)),
      rewriteFields: this.#rewriteFields,
    }
  }

  ofHandshake(request: IncomingMessage, socket: Duplex, lease: Lease): HandshakeHooks {
    const proxyReqWs = this.#options.on?.proxyReqWs
    return {
      editLines: proxyReqWs && editor('proxyReqWs', head => proxyReqWs(head, request, socket)),
      rewriteFields: this.#rewriteFields,
      clientFields: fields => this.#clientFields(fields, request, lease),
      opened: (response, backend, head) => this.#opened(socket, response, backend, head),
    }
  }

  /** Gives the response of the lease's backend to the application, and then to the adapter. */
  respond(
    received: BackendResponse,
    lease: Lease,
    request: IncomingMessage,
    client: ServerResponse,
    resolve: Resolve,
    reject: Reject,
  ): void {
    const { on, rewriteHeaders, responseHeaders, selfHandleResponse = false } = this.#options
    const proxyRes = on?.proxyRes
    if (proxyRes === undefined && rewriteHeaders === undefined && responseHeaders === undefined) {
      resolve(received)
      return
    }
    const fail = (error: unknown): void => {
      received.body.destroy()
      // A response that the listener has begun has no other end.
      if (selfHandleResponse && client.headersSent) client.destroy()
      reject(isProtocolError(error) ? truncated(lease.backend, error) : error)
    }
    try {
      const headers = this.#clientFields(received.headers, request, lease)
      if (proxyRes === undefined) {
        resolve({ ...received, headers })
        return
      }
      const message = responseForListener(received.body, headers)
      // The listener may read the body through another stream, which would wait for the rest.
      if (selfHandleResponse) message.once('error', error => fail(truncated(lease.backend, error)))
      settle(
        () => proxyRes(message, request, client),
        () => resolve(selfHandleResponse ? undefined : responseOfListener(received, headers)),
        fail,
      )
    } catch (error) {
      fail(error)
    }
  }

  #clientFields(fields: HeaderFields, request: IncomingMessage, { backend, status }: Lease): HeaderFields {
    const { rewriteHeaders, responseHeaders } = this.#options
    const edited =
      rewriteHeaders === undefined
        ? fields
        : checkedFields(fields, rewriteHeaders({ ...fields }, request), 'rewriteHeaders')
    if (responseHeaders !== undefined)
      editResponse(edited, responseHeaders, { backend: backend.id, pool: this.#pool, affinity: status })
    return edited
  }

  #opened(client: Duplex, response: IncomingMessage, backend: Socket, head: Buffer): void {
    const { on } = this.#options
    const open = on?.open
    const close = on?.close
    if (close !== undefined) {
      backend.once('close', () =>
        settle(
          () => close(response, backend, head),
          () => {},
          error => this.errors.report('close', error),
        ),
      )
    }
    if (open === undefined) return
    settle(
      () => open(backend),
      () => {},
      error => {
        this.errors.report('open', error)
        client.destroy()
      },
    )
  }
}

/** The error for a response that ends too early. */
function truncated(backend: Backend, error: unknown): Error {
  return attemptError(backend, failureOf(error, { isStarted: true, hasResponded: true }))
}
