import { createServer, type Server } from 'node:http'
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { cookiesCompared, guardServer, limitUnanswered, SERVER_OPTIONS } from '@limpet/http-proxy/transport'
import type { GatewayConfig, Limits } from '../config/config.ts'

/** Requests that a connection of HTTP/2 may have at a time, as in nginx (`http2_max_concurrent_streams`). */
const MAX_STREAMS = 128

/** The server that clients come to, which does not listen yet. @throws Error for a certificate that is none */
export function newServer({ listen: { tls, http2 }, limits }: GatewayConfig): Server {
  const options = {
    maxHeaderSize: limits.maxHeaderSize,
    connectionsCheckingInterval: SERVER_OPTIONS.connectionsCheckingInterval,
    // The handshake counts towards the time for the head.
    handshakeTimeout: limits.headersTimeoutMs,
  }
  const server =
    tls === undefined
      ? createServer(options)
      : http2
        ? // Its compatible side has the same events.
          (createSecureServer({
            ...options,
            ...tls,
            allowHTTP1: true,
            settings: { maxHeaderListSize: limits.maxHeaderSize, maxConcurrentStreams: MAX_STREAMS },
          }) as Http2SecureServer & Server)
        : createTlsServer({ ...options, ...tls })
  changeLimits(server, limits)
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined))
  // The configuration's reader has.
  cookiesCompared(server)
  return guardServer(server)
}

/** Changes the limits that a listening server can change. An open connection keeps its limits until its next request. */
export function changeLimits(server: Server, limits: Limits): void {
  server.headersTimeout = limits.headersTimeoutMs
  server.requestTimeout = limits.requestTimeoutMs
  server.keepAliveTimeout = limits.keepAliveMs
  limitUnanswered(server, limits.unanswered)
  server.maxConnections = limits.connections === 0 ? Infinity : limits.connections
  // Without it a full worker gives the connection back to its parent, which offers it again and again.
  Object.assign(server, { dropMaxConnection: true })
}

/** New connections get this certificate. @throws Error for one that is none */
export function changeCertificate(server: Server, tls: GatewayConfig['listen']['tls']): void {
  if (tls !== undefined && server instanceof TlsServer) server.setSecureContext(tls)
}
