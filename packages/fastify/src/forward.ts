import { Readable } from 'node:stream'
import {
  type HeaderFields,
  isAffinityError,
  type Lease,
  type RequestHead,
  requestHead,
  type RequestView,
} from '@limpet/core'
import { InvalidEditError } from '@limpet/core/adapter'
import {
  bodyTooLarge,
  boundUnreadBody,
  clientBody,
  errorFor,
  hasLeft,
  type NodeProxy,
  noteRefusal,
  onceClosed,
  refuseAfterRefusal,
  RequestRecord,
  RequestBody,
} from '@limpet/http-proxy/transport'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BackendConnections } from './backend-connection.ts'
import { Exchange } from './exchange.ts'
import type { Limpet } from './limpet-options.ts'
import type { RewriteTarget } from './rewrite-prefix.ts'
import type { Rewriting } from './rewriting.ts'
import type { From } from './reply-from.ts'
import { SeenReply } from './seen-reply.ts'
import { fromHooks } from './from-hooks.ts'
import type { Closing } from './closing.ts'
import { forwardUpgrade } from './upgrade.ts'
import { sourceOf } from './upstream.ts'

/**
 * Gives a reply's request to a backend of the pool, and the backend's response to the reply.
 * @param rewrite the target for the backend, where it is not the client's
 */
export type Forward = (reply: FastifyReply, rewrite?: RewriteTarget) => void

/** A request as it is to be sent. */
interface Message {
  readonly head: RequestHead
  /** Its body, where a parser has read it; absent: a stream, or none. */
  readonly body?: Buffer
}

interface ParsedMessage extends Message {
  readonly body: Buffer
}

/** The parts of a forwarder. */
export interface Forwarding {
  readonly connections: BackendConnections
  /** reply-from's function, which does the forwarding proper. */
  readonly from: From
  /** Takes WebSocket handshakes, which reply-from cannot. */
  readonly upgrades: NodeProxy
  readonly closing: Closing
}

export function forwarder(limpet: Limpet, { connections, from, upgrades, closing }: Forwarding): Forward {
  const { affinity, transport, requestHeaders, rewriting } = limpet
  const hooks = fromHooks(limpet, closing, (reply, error) => {
    release(reply)
    tell(reply, error)
  })
  const takesUpgrades = limpet.routes?.websocket !== false

  function start(
    reply: FastifyReply,
    { head, body: parsed }: Message,
    lease: Lease,
    record: RequestRecord,
  ): void {
    record.placed(lease)
    const body = head.hasBody
      ? (parsed ?? streamOf(reply.request, bodyLimit(reply.request, limpet), () => exchange.progress()))
      : null
    const exchange = new Exchange(reply, lease, head, connections, transport, body, record)
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
    from.call(new SeenReply(exchange), sourceOf(lease.backend, lease.target), hooks)
  }

  function fail(reply: FastifyReply, error: unknown): void {
    noteRefusal(reply.request.raw, reply.raw, error)
    release(reply)
    if (isAffinityError(error)) tell(reply, error)
    else reply.send(error)
  }

  /** `onError` has the reply if there is one. */
  function tell(reply: FastifyReply, error: Error | undefined): void {
    const { onError } = rewriting
    errorFor(reply.request.raw, error)
    if (onError === undefined || error === undefined) {
      reply.send(error)
      return
    }
    try {
      onError(reply, { error })
    } catch (thrown) {
      if (reply.sent) reply.log.error({ err: thrown }, 'onError threw after it had sent the reply')
      else reply.send(thrown)
    }
  }

  return (reply, rewrite) => {
    if (isTaken(reply)) {
      reply.log.error(TAKEN_TWICE)
      return
    }
    try {
      const view = viewOf(reply.request, rewriting, rewrite)
      if (takesUpgrades && forwardUpgrade(reply, upgrades, view)) return
      refuseAfterRefusal(reply.request.raw)
      const asked = requestHead(reply.request.raw, view, requestHeaders)
      let message: Message = { head: asked }
      if (asked.hasBody) {
        boundUnreadBody(reply.request.raw, reply.raw)
        message = parsedBody(reply.request, asked, limpet) ?? message
      }
      const { head } = message
      const record = new RequestRecord(affinity.pool.name)
      reply.request.limpet = record
      const lease = affinity.select(head, onGone => onceClosed(reply.request.raw, reply.raw, onGone))
      if (lease instanceof Promise) {
        lease
          .then(held => {
            // Without one the client has left, and no response can be sent.
            if (held !== undefined) start(reply, message, held, record)
          })
          .catch((error: unknown) => fail(reply, error))
      } else {
        start(reply, message, lease, record)
      }
    } catch (error) {
      fail(reply, error)
    }
  }
}

const TAKEN_TWICE =
  'limpet has this request already and ignores another call; check for a hook that calls done twice, or a handler that calls reply.limpet() twice'

/** Whether another call would forward the request a second time, or come after the response. */
function isTaken({ raw, request: { limpet: record } }: FastifyReply): boolean {
  return raw.headersSent || (record instanceof RequestRecord && record.isUnderWay)
}

/** The request has failed: the application's error handler may forward it to another pool. */
function release({ request: { limpet: record } }: FastifyReply): void {
  if (record instanceof RequestRecord) record.isUnderWay = false
}

/** The application's view of a request. Fastify keeps fields that a hook assigns apart from Node's. */
function viewOf(
  request: FastifyRequest,
  { rewriteRequestHeaders }: Rewriting,
  rewrite: RewriteTarget | undefined,
): RequestView | undefined {
  const { headers, raw } = request
  const target = rewrite?.(raw.url ?? '')
  if (rewriteRequestHeaders !== undefined) {
    const fields: unknown = rewriteRequestHeaders(request, { ...headers })
    if (typeof fields !== 'object' || fields === null)
      throw new InvalidEditError('rewriteRequestHeaders', 'is no object of header fields')
    return { target, headers: fields as HeaderFields }
  }
  if (headers === raw.headers) return target === undefined ? undefined : { target }
  return { target, headers }
}

/**
 * The bytes of a body that a parser has read, and the head that goes with them; undefined where the body is a stream
 * to be forwarded as it is. Before a backend is chosen.
 * @throws RefusedRequestError 413 for a body that is too large, 500 for one that cannot be written again
 */
function parsedBody(request: FastifyRequest, head: RequestHead, limpet: Limpet): ParsedMessage | undefined {
  const limit = bodyLimit(request, limpet)
  if (Number(head.headers['content-length'] ?? 0) > limit) throw bodyTooLarge()
  const { body, raw } = request
  if (body instanceof Readable) return undefined
  if (!raw.readableDidRead) {
    if (Buffer.isBuffer(body)) return { head, body }
    if (body === undefined || body === null) return undefined
  }
  const rawBody: unknown = Reflect.get(request, 'rawBody')
  const written = clientBody(raw, head, { body, rawBody }, limit, () => undefined)
  return Buffer.isBuffer(written.body) ? { head: written.head, body: written.body } : undefined
}

function streamOf({ body, raw }: FastifyRequest, limit: number, onProgress: () => void): RequestBody {
  return new RequestBody(body instanceof Readable ? body : raw, limit, onProgress)
}

function bodyLimit(request: FastifyRequest, limpet: Limpet): number {
  return limpet.bodyLimit ?? request.routeOptions.bodyLimit ?? Infinity
}
