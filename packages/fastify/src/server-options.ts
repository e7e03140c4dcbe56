import { type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyHttpOptions } from 'fastify'

type GatewayServerOptions = Required<
  Pick<
    FastifyHttpOptions<Server>,
    'keepAliveTimeout' | 'requestTimeout' | 'forceCloseConnections' | 'http' | 'clientErrorHandler'
  >
>

/**
 * Options for `Fastify()` that keep slow and greedy clients from holding a gateway's connections: a head has
 * 10 s and 16 KiB, an idle connection 75 s. A body has no time of its own, for uploads may be long; the
 * plugin asks for a minimal pace instead.
 */
export function gatewayServerOptions(): GatewayServerOptions {
  return {
    keepAliveTimeout: 75_000,
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 },
    clientErrorHandler: answerClientError,
  }
}

const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Answers bytes that are no request, and hangs up: what follows them cannot be told from them (RFC 9112 §9.3). */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  socket.end(closingAnswer(STATUS[error.code ?? ''] ?? '400 Bad Request'), () => socket.destroy())
}

/**
 * Whether an answer has begun. A second one behind it would be taken for the answer to the next request.
 * (Where Node's own handler looks, too: nothing public tells.)
 */
function isAnswering(socket: object): boolean {
  const message: unknown = Reflect.get(socket, '_httpMessage')
  return message instanceof ServerResponse && message.headersSent
}

/** CONNECT asks for a tunnel, which no HTTP route can answer. */
export function refuseConnect(_request: unknown, socket: Pick<Socket, 'end'>): void {
  socket.end(closingAnswer('501 Not Implemented'))
}

function closingAnswer(status: string): string {
  const fields =
    'Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff'
  return `HTTP/1.1 ${status}\r\n${fields}\r\nContent-Length: ${status.length + 1}\r\n\r\n${status}\n`
}
