import { Readable } from 'node:stream'
import {
  type HeaderFields,
  type Lease,
  mergeFields,
  RefusedRequestError,
  type RequestHead,
  requestHead,
  type RequestView,
} from '@limpet/core'
import type { HttpProxy } from '@limpet/http-proxy'
import {
  bodyTooLarge,
  boundUnreadBody,
  hasLeft,
  noteRefusal,
  onceClosed,
  refuseAnswer,
  refuseAfterRefusal,
  RequestBody,
} from '@limpet/http-proxy/transport'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BackendConnections } from './backend-connection.ts'
import { Exchange } from './exchange.ts'
import type { Limpet } from './limpet-options.ts'
import { carry, type From } from './reply-from.ts'
import { forwardUpgrade } from './upgrade.ts'

/** Gives a reply's request to a backend of the pool, and the backend's response to the reply. */
export type Forward = (reply: FastifyReply) => void

/** The parts of a forwarder. */
export interface Forwarding {
  readonly connections: BackendConnections
  /** reply-from's function, which does the forwarding proper. */
  readonly from: From
  /** Takes WebSocket handshakes, which reply-from cannot. */
  readonly upgrades: HttpProxy
  readonly closing: Closing
}

/** The end of the app: connections end with the responses that are still under way. */
export interface Closing {
  readonly isClosing: boolean
  responseEnded(): void
}

export function forwarder(limpet: Limpet, { connections, from, upgrades, closing }: Forwarding): Forward {
  const { affinity, transport, requestHeaders } = limpet
  const takesUpgrades = limpet.routes?.websocket !== false

  function start(reply: FastifyReply, head: RequestHead, lease: Lease): void {
    const body = head.hasBody ? bodyOf(reply.request, limpet, () => exchange.progress()) : null
    const exchange = new Exchange(lease, head, connections, transport, body)
    const { raw } = reply.request
    // A remote store may have been asked meanwhile.
    if (hasLeft(raw, reply.raw)) {
      exchange.close()
      return
    }
    onceClosed(raw, reply.raw, () => {
      exchange.close()
      closing.responseEnded()
    })
    from.call(reply, '/', {
      getUpstream: nowhere,
      retryDelay: never,
      rewriteRequestHeaders: () => carry(exchange),
      rewriteHeaders: fields => merged(fields, reply),
      onResponse: () => {
        if (closing.isClosing && raw.httpVersionMajor === 1) reply.header('connection', 'close')
        try {
          exchange.answer(reply)
        } catch (error) {
          // HTTP/2 throws for fields that HTTP/1 writes, and here it would be an uncaught exception.
          reply.log.error({ err: error }, 'the response of the backend could not be written')
          refuseAnswer(reply.raw)
        }
      },
      onError: () => reply.send(exchange.error),
    })
  }

  return reply => {
    try {
      if (takesUpgrades && forwardUpgrade(reply, upgrades, headersOf(reply.request))) return
      refuseAfterRefusal(reply.request.raw)
      const head = requestHead(reply.request.raw, headersOf(reply.request), requestHeaders)
      if (head.hasBody) {
        boundUnreadBody(reply.request.raw, reply.raw)
        refuseBody(reply.request, head, limpet)
      }
      const lease = affinity.select(head, onGone => onceClosed(reply.request.raw, reply.raw, onGone))
      if (lease instanceof Promise) {
        lease
          .then(held => {
            // Without one the client has left, and no response can be sent.
            if (held !== undefined) start(reply, head, held)
          })
          .catch((error: unknown) => fail(reply, error))
      } else {
        start(reply, head, lease)
      }
    } catch (error) {
      fail(reply, error)
    }
  }
}

function fail(reply: FastifyReply, error: unknown): void {
  noteRefusal(reply.request.raw, error)
  reply.send(error)
}

/** Fastify keeps fields that a hook assigns to `request.headers` apart from Node's. */
function headersOf({ headers, raw }: FastifyRequest): RequestView | undefined {
  return headers === raw.headers ? undefined : { headers }
}

/** reply-from wants to know where to; the exchange knows better, and for each attempt anew. */
function nowhere(): string {
  return 'http://backend.invalid'
}

/** The fields that reply-from copies to the reply, where hooks may have set some of them. */
function merged(fields: HeaderFields, reply: FastifyReply): HeaderFields {
  mergeFields(fields, name => reply.getHeader(name))
  return fields
}

/** Its own retries ask the same backend again, up to ten times, for a mere 503. */
function never(): null {
  return null
}

/** Refuses a body that cannot be forwarded as it is, before a backend is chosen. */
function refuseBody(request: FastifyRequest, { headers }: RequestHead, limpet: Limpet): void {
  if (Number(headers['content-length'] ?? 0) > bodyLimit(request, limpet)) throw bodyTooLarge()
  const { body, raw } = request
  if (body instanceof Readable || Buffer.isBuffer(body)) return
  // A parser makes null of `null`, too.
  if ((body === undefined || body === null) && !raw.readableDidRead) return
  // A body that is serialized from the parser's value would be another message than the client's.
  throw new RefusedRequestError(
    500,
    'body_parsed',
    'the request body was parsed before it could be forwarded; register the route in a scope prepared with acceptAnyBody()',
  )
}

function bodyOf(request: FastifyRequest, limpet: Limpet, onProgress: () => void): RequestBody | Buffer {
  const { body, raw } = request
  if (Buffer.isBuffer(body)) return body
  return new RequestBody(body instanceof Readable ? body : raw, bodyLimit(request, limpet), onProgress)
}

function bodyLimit(request: FastifyRequest, limpet: Limpet): number {
  return limpet.bodyLimit ?? request.routeOptions.bodyLimit ?? Infinity
}
