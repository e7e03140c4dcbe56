import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { AffinityError } from '@limpet/core'
import { isHttp2Response } from '../exchange/http2-response.ts'

/** A response on a bare socket, behind which the connection ends. */
export function closingResponse(statusCode: number, headers: Readonly<Record<string, string>> = {}): string {
  const status = `${statusCode} ${STATUS_CODES[statusCode] ?? 'Error'}`
  const fields = Object.entries({
    ...headers,
    connection: 'close',
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(status.length + 1),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${fields.join('')}\r\n${status}\n`
}

/** The same for an error of ours. */
export function closingError({ statusCode, headers }: AffinityError): string {
  return closingResponse(statusCode, headers)
}

/** An error on a response, for where a framework would first wait for the rest of a request that may never come. */
export function writeError(response: ServerResponse, { statusCode, headers }: AffinityError): void {
  const text = `${statusCode} ${STATUS_CODES[statusCode] ?? 'Error'}\n`
  const fields = { ...headers, 'content-type': 'text/plain; charset=utf-8' }
  response
    .writeHead(statusCode, isHttp2Response(response) ? fields : { ...fields, connection: 'close' })
    .end(text)
}
