import type { FastifyReplyFromHooks } from '@fastify/reply-from'
import { refuseResponse } from '@limpet/http-proxy/transport'
import type { FastifyReply } from 'fastify'
import type { Readable } from 'node:stream'
import type { Closing } from './closing.ts'
import type { Exchange } from './exchange.ts'
import type { Limpet } from './limpet-options.ts'
import { carry } from './reply-from.ts'
import { type BackendResponse, clientFields, type Rewriting } from './rewriting.ts'
import { SeenRequest } from './seen-reply.ts'

/**
 * The hooks of reply-from for all requests of a forwarder. Hooks of each request would be held as long as it waits for
 * its response. reply-from calls most of them from the backend's socket, where an error would be an uncaught exception.
 * @param onError called when no backend has responded; the error is undefined when the client has left
 */
export function fromHooks(
  limpet: Limpet,
  closing: Closing,
  onError: (reply: FastifyReply, error: Error | undefined) => void,
): FastifyReplyFromHooks {
  const { onResponse } = limpet.rewriting
  return {
    retryDelay: never,
    rewriteRequestHeaders: request => carry(exchangeOf(request)),
    rewriteHeaders(fields, request) {
      const exchange = exchangeOf(request)
      try {
        exchange.fields = clientFields(fields, exchange.reply, limpet, exchange.lease)
        return exchange.fields
      } catch (error) {
        exchange.edit = { error }
        return {}
      }
    },
    onResponse(request) {
      const exchange = exchangeOf(request)
      const { reply, edit } = exchange
      if (edit !== undefined) {
        exchange.close()
        reply.send(edit.error)
        return
      }
      if (closing.isClosing && reply.request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
      try {
        if (onResponse === undefined) exchange.respond()
        else respond(onResponse, exchange)
      } catch (error) {
        // HTTP/2 throws for fields that HTTP/1 writes.
        reply.log.error({ err: error }, 'the response of the backend could not be written')
        refuseResponse(reply.raw)
      }
    },
    onError({ request }) {
      const { reply, error } = exchangeOf(request)
      onError(reply, error)
    },
  }
}

function exchangeOf(request: unknown): Exchange {
  if (!(request instanceof SeenRequest)) throw new TypeError('the request has no exchange')
  return request.exchange
}

/** Lets the application send the reply. An error of it comes to the error handler while that can still respond. */
function respond(onResponse: NonNullable<Rewriting['onResponse']>, exchange: Exchange): void {
  const { statusCode, fields: headers, reply } = exchange
  let stream: Readable | undefined
  const response: BackendResponse = {
    statusCode,
    headers,
    get stream() {
      return (stream ??= exchange.stream())
    },
  }
  try {
    onResponse(reply.request, reply, response)
  } catch (error) {
    stream?.destroy()
    exchange.close()
    if (reply.sent) reply.raw.destroy()
    else reply.send(error)
  }
}

/** reply-from's own retries ask the same backend again, up to ten times, for a mere 503. */
function never(): null {
  return null
}
