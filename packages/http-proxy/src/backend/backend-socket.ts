import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Backend, Pool } from '@limpet/core'
import type { Transport } from '../transport-options.ts'

type OnSocket = (...result: [null, Socket] | [Error, null]) => void

/**
 * Opens sockets to one backend, and hands them over only when they are connected: TCP, or TLS agreed and verified.
 * Returns the socket before it is connected, so the caller can abort.
 */
export type SocketOpener = (onSocket: OnSocket) => Socket

/** The code of the error for a backend that did not accept the connection in time. */
export const CONNECT_TIMEOUT = 'ERR_CONNECT_TIMEOUT'

/** A timer that is late by more than this share of the timeout shows that this process was starved. */
const STARVED_SHARE = 0.1

/** TCP's own probes find a peer that vanished without a word. */
const KEEP_ALIVE_MS = 60_000

/**
 * undici's own connector rounds its time-out up by half a second and takes the TLS name from the client's Host;
 * here the one is exact, and the other the backend's.
 */
export function socketOpener({ url }: Backend, transport: Transport): SocketOpener {
  const open = url.protocol === 'https:' ? tlsOpener(url, transport) : tcpOpener(url)
  const event = url.protocol === 'https:' ? 'secureConnect' : 'connect'
  const { connectTimeoutMs } = transport
  return onSocket => {
    const socket = open()
    let timer: NodeJS.Timeout | undefined
    function onError(error: Error): void {
      clearTimeout(timer)
      onSocket(error, null)
    }
    function expire(): void {
      const error = new Error(`no connection within ${connectTimeoutMs} ms`)
      socket.destroy(Object.assign(error, { code: CONNECT_TIMEOUT }))
    }
    if (connectTimeoutMs > 0) {
      const dueMs = performance.now() + connectTimeoutMs
      timer = setTimeout(() => {
        // This process stood still, and has not read yet what the backend said in time: sessions would move for that.
        const isLate = performance.now() - dueMs > connectTimeoutMs * STARVED_SHARE
        if (isLate) timer = setTimeout(expire, connectTimeoutMs)
        else expire()
      }, connectTimeoutMs)
    }
    socket.once('error', onError).once(event, () => {
      clearTimeout(timer)
      socket.off('error', onError)
      onSocket(null, socket)
    })
    return socket
  }
}

/** The same for requests of `pool`, which counts their bytes. */
export function countedOpener(pool: Pool, backend: Backend, transport: Transport): SocketOpener {
  const open = socketOpener(backend, transport)
  return onSocket =>
    open((...result) => {
      if (result[1] !== null) pool.countConnection(backend, result[1])
      onSocket(...result)
    })
}

function tcpOpener(url: URL): () => Socket {
  const shared = {
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    highWaterMark: 65_536,
  }
  if (url.protocol === 'unix:') {
    const path = decodeURIComponent(url.pathname)
    return () => connectTcp({ ...shared, path })
  }
  const host = plainHost(url)
  const port = Number(url.port || 80)
  return () => connectTcp({ ...shared, host, port })
}

function tlsOpener(url: URL, transport: Transport): () => Socket {
  const host = plainHost(url)
  const options: ConnectionOptions = {
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: transport.verify,
    // An address is no name: it is left out of the handshake, and the certificate must hold it as an address.
    ...(transport.servername !== undefined || isIP(host) === 0
      ? { servername: transport.servername ?? host }
      : {}),
    ...(transport.ca === undefined ? {} : { ca: transport.ca }),
  }
  let session: Buffer | undefined
  return () => {
    const socket = connectTls(session === undefined ? options : { ...options, session })
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
    // A resumed session costs the backend a fraction of a full handshake.
    socket.on('session', latest => {
      session = latest
    })
    return socket
  }
}

function plainHost(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}
