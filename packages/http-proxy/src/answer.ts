import { type IncomingMessage, type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import { trailerFields } from '@limpet/core'
import type { Answer } from './exchange.ts'
import { rawFields } from './raw-fields.ts'

/** A client that takes nothing for this long holds a backend's answer hostage. */
const STALL_MS = 30_000

/** Gives an answer to a client. What the app has put on the response stays, unless the backend says otherwise. */
export function writeAnswer(response: ServerResponse, answer: Answer): void {
  const { statusCode, headers, body } = answer
  response.statusCode = statusCode
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined) continue
    if (name === 'set-cookie') response.appendHeader(name, value)
    else response.setHeader(name, value)
  }
  if (isWhole(body)) {
    response.end(readWhole(body))
    return
  }
  watchAnswer(response, answer)
  body.pipe(response)
}

/** A short answer has come to its end by now, and may go in one piece, which is cheaper than a pipe. */
export function isWhole(body: IncomingMessage): boolean {
  return body.complete && body.rawTrailers.length === 0
}

/** The bytes of such an answer, read to its end. */
export function readWhole(body: IncomingMessage): Buffer | null {
  // Without a length Node 26 reads no more than the first piece; with one, nobody looks whether that was the last.
  const bytes = body.read(body.readableLength) as Buffer | null
  body.read(0)
  return bytes
}

/**
 * What piping alone would not do: a cut for the client when the backend dies in the middle, trailers, a head that
 * does not wait for the first byte, and an end to clients that stop reading.
 */
export function watchAnswer(response: ServerResponse, { body }: Answer, stallMs = STALL_MS): void {
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
    .once('end', () => addTrailers(response, body.rawTrailers))
  // A stream of events is open before its first event, but not before the app has had its say on the head. Of most
  // answers the first chunk is here by then.
  response.once('pipe', () => {
    if (body.readableLength === 0 && !body.complete && !response.headersSent) response.flushHeaders()
  })
}

function addTrailers(response: ServerResponse, rawTrailers: readonly string[]): void {
  if (rawTrailers.length === 0) return
  const lines = Object.entries(trailerFields(rawFields(rawTrailers))).filter(([name, value]) =>
    isWritable(name, value),
  )
  if (lines.length > 0) response.addTrailers(Object.fromEntries(lines) as Record<string, string>)
}

/** Node throws for what it could not write, and a trailer is not worth the answer. */
function isWritable(name: string, value: string | string[] | undefined): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, String(value))
    return true
  } catch {
    return false
  }
}
