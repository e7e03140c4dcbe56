import type { IncomingMessage, ServerResponse } from 'node:http'
import { isAffinityError } from '@limpet/core'
import { RefusedRequestError } from '@limpet/core/adapter'

/**
 * Connections on which a message was refused. The boundary to the next message is uncertain there: an apparent
 * pipelined request may be a part of the refused one (RFC 9112 §11.2), and Node has parsed it already.
 */
const refused = new WeakSet<object>()

/**
 * Remembers the connection of `request` when `error` is a refusal. It ends with `response`, also when an error handler of
 * the application leaves out the error's own fields: a load balancer in front would send other clients' requests by it.
 */
export function noteRefusal(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (!isAffinityError(error) || error.code !== 'ERR_REFUSED_REQUEST') return
  refused.add(request.socket)
  if (request.httpVersionMajor === 1) response.shouldKeepAlive = false
}

/** The error of `request` for the application to send: HTTP/2 has no fields of a connection. */
export function errorFor<E>(request: IncomingMessage, error: E): E {
  if (request.httpVersionMajor !== 1 && isAffinityError(error) && error.code === 'ERR_REFUSED_REQUEST')
    error.keepConnection()
  return error
}

/** @throws RefusedRequestError for whatever follows a refused message on its connection. */
export function refuseAfterRefusal(request: IncomingMessage): void {
  if (refused.has(request.socket))
    throw new RefusedRequestError(400, 'framing', 'an earlier message was refused')
}
