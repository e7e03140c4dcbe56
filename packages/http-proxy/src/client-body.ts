import type { IncomingMessage } from 'node:http'
import { RefusedRequestError } from '@limpet/core'
import { bodyTooLarge, RequestBody } from './request-body.ts'

/** A request that a body parser may have been at: `body` is what it made of it, `rawBody` the bytes it kept. */
export interface ParsedRequest extends IncomingMessage {
  readonly body?: unknown
  readonly rawBody?: unknown
}

/**
 * The body of `request` as it came: the stream where nobody has read it; else the bytes that were kept, or those
 * that are certain to mean the same.
 * @throws RefusedRequestError 413 for one that is too large, 500 for one that was eaten and cannot be had again
 */
export function clientBody(
  request: ParsedRequest,
  limit: number,
  onProgress: () => void,
): RequestBody | Buffer {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw bodyTooLarge()
  if (!request.readableDidRead) return new RequestBody(request, limit, onProgress)
  const bytes = keptBytes(request)
  if (bytes === undefined) {
    throw new RefusedRequestError(
      500,
      'body_parsed',
      'the request body was parsed before it could be forwarded; mount limpet before body parsers, or keep the bytes in request.rawBody',
    )
  }
  return bytes
}

function keptBytes({ body, rawBody, headers }: ParsedRequest): Buffer | undefined {
  if (Buffer.isBuffer(rawBody)) return rawBody
  // A parser that inflates has changed the length, and with it every way to tell.
  if (headers['content-encoding'] !== undefined) return undefined
  if (Buffer.isBuffer(body)) return body
  const text =
    typeof body === 'string'
      ? body
      : isJson(headers['content-type']) && isExact(body)
        ? JSON.stringify(body)
        : undefined
  const bytes = text === undefined || text.includes('\ufffd') ? undefined : Buffer.from(text)
  // The same length: no blank, escape, fraction or doubled key was lost on the way.
  return bytes !== undefined && bytes.length === Number(headers['content-length']) ? bytes : undefined
}

function isJson(type: string | undefined): boolean {
  return type !== undefined && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)
}

/** Whether every number in it is one that JSON can hold without rounding. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || (!Number.isInteger(value) && String(value).length <= 16)
  if (typeof value === 'object' && value !== null) return Object.values(value).every(part => isExact(part))
  return value !== undefined
}
