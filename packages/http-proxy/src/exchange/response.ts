import type { IncomingMessage, ServerResponse } from 'node:http'
import { mergeFields } from '@limpet/core/adapter'
import type { BackendResponse } from './backend-response.ts'
import { isHttp2Response } from './http2-response.ts'
import { endInOneWrite } from './one-write.ts'
import { rawFields } from './raw-fields.ts'
import { addTrailers } from './trailers.ts'

/** A client that takes nothing for this long holds a backend's response hostage. */
const STALL_MS = 30_000

/** Sends a response to a client. Fields that the application has set stay, are merged, or give way to the backend's. */
export function writeResponse(response: ServerResponse, received: BackendResponse): void {
  try {
    putResponse(response, received)
  } catch {
    refuseResponse(response)
    received.body.destroy()
  }
}

function putResponse(response: ServerResponse, received: BackendResponse): void {
  const { body } = received
  putHead(response, received)
  if (isWhole(body)) {
    // Node does not end a response of HTTP/2 whose head is invalid within `end`.
    if (isHttp2Response(response)) response.flushHeaders()
    else endInOneWrite(response)
    response.end(readWhole(body))
    return
  }
  watchResponse(response, received)
  body.pipe(response)
}

/** Sets status and fields. Fields that the application has set stay, are merged, or give way to the backend's. */
export function putHead(
  response: ServerResponse,
  { statusCode, headers }: Pick<BackendResponse, 'statusCode' | 'headers'>,
): void {
  response.statusCode = statusCode
  mergeFields(headers, name => response.getHeader(name))
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined) continue
    if (name === 'set-cookie') response.appendHeader(name, value)
    else response.setHeader(name, value)
  }
}

/** A short response has come to its end by now, and may go in one piece, which is cheaper than a pipe. */
export function isWhole(body: IncomingMessage): boolean {
  return body.complete && body.rawTrailers.length === 0
}

/** The bytes of such a response, read to its end. */
export function readWhole(body: IncomingMessage): Buffer | null {
  // Without a length Node 26 reads no more than the first piece; with one, it is not checked that this was the last.
  const bytes = body.read(body.readableLength) as Buffer | null
  body.read(0)
  return bytes
}

/**
 * Does the things that piping alone would not: cuts the client's connection when the backend fails in the middle, sends
 * trailers, sends the head before the first byte, and disconnects clients that stop reading.
 */
export function watchResponse(response: ServerResponse, { body }: BackendResponse, stallMs = STALL_MS): void {
  let stall: NodeJS.Timeout | undefined
  function clear(): void {
    clearTimeout(stall)
    stall = undefined
  }
  body
    .on('pause', () => {
      stall ??= setTimeout(() => response.destroy(), stallMs)
    })
    .on('resume', clear)
    .once('close', clear)
    .once('error', () => response.destroy())
    .once('end', () => {
      if (body.rawTrailers.length > 0) addTrailers(response, rawFields(body.rawTrailers))
    })
  // A stream of events is open before its first event, but not before the app has had its say on the head. Of most
  // responses the first chunk is here by then.
  response.once('pipe', () => {
    if (response.headersSent) return
    if (isHttp2Response(response)) writeHead(response, body)
    else if (body.readableLength === 0 && !body.complete) response.flushHeaders()
  })
}

/** HTTP/2 checks a head as it is written. With the first piece, it would throw from an event of the backend's socket. */
function writeHead(response: ServerResponse, body: IncomingMessage): void {
  try {
    response.flushHeaders()
  } catch {
    body.unpipe(response)
    refuseResponse(response)
    body.destroy()
  }
}

/** Takes the place of a response that Node cannot write: 502 before its head is sent, and a cut after it. */
export function refuseResponse(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  response
    .writeHead(502, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end('502 Bad Gateway\n')
}
