import { type Server, type ServerOptions, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import { isLocalError } from '@limpet/core/adapter'
import { closingResponse } from './closing-response.ts'
import { GUARD_OPTIONS, type GuardOptions } from './guard-options.ts'
import { endWith } from './linger.ts'
import { limitUnanswered } from './pipeline-limit.ts'
import { boundUnreadBody } from './unread-body.ts'
import { refuseUpgrade } from '../websocket/refused-upgrade.ts'

/**
 * Options for `http.createServer()` that keep slow and greedy clients from holding a gateway's connections: a head
 * has 10 s and 16 KiB, an idle connection 75 s. A body has no time of its own, for uploads may be long; it is asked
 * for a minimal pace instead.
 */
export const SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
} as const satisfies ServerOptions

/**
 * Responds, on `server`, to bytes that are no request, and to CONNECT. Bounds how many requests of a connection are
 * unanswered, and how long the rest of a body may hold its connection after the response. Returns the server.
 * @throws OptionError for a wrong limit
 */
export function guardServer<S extends Server>(server: S, limits: GuardOptions = {}): S {
  limitUnanswered(server, GUARD_OPTIONS.parse('', limits).maxUnanswered)
  return server
    .on('request', (request, response) => boundUnreadBody(request, response))
    .on('clientError', respondToClientError)
    .on('connect', refuseConnect)
    .on('error', ignoreAcceptError)
}

/**
 * A server that has no descriptor for another connection reports that as an error, which would end the process. The
 * server goes on instead. Any other error is thrown when nothing else listens, as Node does.
 */
function ignoreAcceptError(this: Server, error: Error & { syscall?: string }): void {
  if (isLocalError(error) && error.syscall === 'accept') return
  if (this.listeners('error').every(listener => listener === ignoreAcceptError)) throw error
}

const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** The client is gone, or cannot be reached: before a TLS handshake no response can be sent, and Node leaves it open. */
const GONE: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'ERR_TLS_HANDSHAKE_TIMEOUT'])

/** Responds to bytes that are no request, and closes: the bytes that follow cannot be told from them (RFC 9112 §9.3). */
export function respondToClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (GONE.has(error.code) || !socket.writable || isResponding(socket)) {
    socket.destroy()
    return
  }
  endWith(socket, closingResponse(STATUS[error.code ?? ''] ?? 400))
  socket.once('finish', () => socket.destroy())
}

/**
 * Whether a response has begun. A second one behind it would be taken for the response to the next request.
 * (Where Node's own handler looks, too: nothing public tells.)
 */
function isResponding(socket: object): boolean {
  const message: unknown = Reflect.get(socket, '_httpMessage')
  return message instanceof ServerResponse && message.headersSent
}

/** CONNECT asks for a tunnel, which no HTTP route can answer. HTTP/2 has a response for it, HTTP/1 a bare socket. */
export function refuseConnect(_request: unknown, client: Duplex | Http2ServerResponse): void {
  if ('writeHead' in client) client.writeHead(501, { 'cache-control': 'no-store' }).end()
  else refuseUpgrade(client, 501)
}
