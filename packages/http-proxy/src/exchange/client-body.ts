import type { IncomingMessage } from 'node:http'
import { RefusedRequestError, type RequestHead } from '@limpet/core'
import { bodyTooLarge, type OnProgress, RequestBody } from './request-body.ts'

/** What a body parser leaves: `body` is what it made of the bytes, `rawBody` the bytes themselves, where it keeps them. */
export interface ParsedBody {
  readonly body?: unknown
  readonly rawBody?: unknown
}

/**
 * The body of `request` as it came: the stream where nobody has read it; else, of what was `parsed`, the bytes that
 * were kept, or those that say the same in as many.
 * @throws RefusedRequestError 413 for one that is too large, 500 for one that was eaten and cannot be had again
 */
export function clientBody(
  request: IncomingMessage,
  { headers }: RequestHead,
  parsed: ParsedBody,
  limit: number,
  onProgress: OnProgress,
): RequestBody | Buffer {
  if (Number(headers['content-length'] ?? 0) > limit) throw bodyTooLarge()
  if (!request.readableDidRead) {
    // Who has read nothing to its end has read all of it.
    return request.readableEnded ? Buffer.alloc(0) : new RequestBody(request, limit, onProgress)
  }
  const bytes = keptBytes(parsed, headers)
  if (bytes === undefined) {
    throw new RefusedRequestError(
      500,
      'body_parsed',
      'the request body was parsed before it could be forwarded; mount limpet before body parsers, or keep the bytes in request.rawBody',
    )
  }
  if (bytes.length > limit) throw bodyTooLarge()
  return bytes
}

function keptBytes({ body, rawBody }: ParsedBody, headers: RequestHead['headers']): Buffer | undefined {
  // Parsers inflate, and what they keep is inflated, too: neither the length nor the coding would be the message's.
  if (headers['content-encoding'] !== undefined) return undefined
  const length = headers['content-length']
  const kept = [rawBody, body].find(value => Buffer.isBuffer(value))
  if (kept !== undefined) return length === undefined || kept.length === Number(length) ? kept : undefined
  const text = keptText(rawBody, body, String(headers['content-type'] ?? ''))
  const bytes = text === undefined || text.includes('\ufffd') ? undefined : Buffer.from(text)
  // As long as it was: no blank, escape or doubled key was lost on the way. An exponent that was written out may hide
  // one (1e8 for 100000000); then it is still what the app has read.
  return bytes?.length === Number(length) ? bytes : undefined
}

/** What was decoded from UTF-8, which is what parsers take where no other charset is named. */
function keptText(rawBody: unknown, body: unknown, type: string): string | undefined {
  if (/;\s*charset\s*=(?!\s*"?utf-?8\b)/i.test(type)) return undefined
  if (typeof rawBody === 'string') return rawBody
  if (typeof body === 'string') return body
  return isJson(type) && isExact(body) ? JSON.stringify(body) : undefined
}

function isJson(type: string): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)
}

/** Whether every number in it is one that was read and can be written without rounding. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number') return isExactNumber(value)
  if (typeof value === 'object' && value !== null) return Object.values(value).every(part => isExact(part))
  return value !== undefined
}

/** JSON has no way to write what is too large, and writes 0 for -0. */
function isExactNumber(value: number): boolean {
  if (Number.isInteger(value)) return Number.isSafeInteger(value) && !Object.is(value, -0)
  return Number.isFinite(value) && String(value).length <= 16
}
