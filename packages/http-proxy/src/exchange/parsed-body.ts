import type { HeaderFields } from '@limpet/core'
import { RefusedRequestError } from '@limpet/core/adapter'
import { formText } from './form-body.ts'

/** The results of a body parser: `body`, the parsed value, and `rawBody`, the bytes, where it keeps them. */
export interface ParsedBody {
  readonly body?: unknown
  readonly rawBody?: unknown
}

/** The bytes of a body that a parser has read. */
export interface WrittenBody {
  readonly bytes: Buffer
  /** Whether they are without the content coding of the message: the parser has inflated them. */
  readonly isDecoded: boolean
}

/**
 * The bytes of a body that was `parsed` before it could be forwarded: those that were kept, or else the same value
 * written anew. JSON, forms, text and raw bytes can be written; the coding of a compressed body is lost.
 * @param headers of the request
 * @throws RefusedRequestError 500 for a body that cannot be written again, as of an upload in parts
 */
export function writtenBody(parsed: ParsedBody, headers: Readonly<HeaderFields>): WrittenBody {
  const coding = single(headers['content-encoding'])?.trim().toLowerCase() ?? ''
  const isCoded = coding !== '' && coding !== 'identity'
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
  const kept = [parsed.rawBody, parsed.body].find(value => Buffer.isBuffer(value))
  if (kept !== undefined) {
    const isDecoded = isCoded && !isStillCoded(kept, coding, length)
    // Another length tells that a part of it is missing.
    if (isDecoded || length === undefined || kept.length === length) return { bytes: kept, isDecoded }
    throw refused('the bytes that were kept of it are not all of it')
  }
  const bytes = textBytes(parsed, headers, isCoded ? undefined : length)
  return { bytes, isDecoded: isCoded }
}

/** Whether `bytes` are as they came, and were not inflated. */
function isStillCoded(bytes: Buffer, coding: string, length: number | undefined): boolean {
  // The magic number of gzip (RFC 1952 §2.3.1). Other codings have none.
  if (coding === 'gzip' || coding === 'x-gzip') return bytes[0] === 0x1f && bytes[1] === 0x8b
  return bytes.length === length
}

function textBytes({ body, rawBody }: ParsedBody, headers: Readonly<HeaderFields>, length?: number): Buffer {
  const type = single(headers['content-type']) ?? ''
  const media = type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const encoding = encodingOf(type)
  if (typeof rawBody === 'string' && encoding !== undefined && !rawBody.includes(REPLACED)) {
    const bytes = Buffer.from(rawBody, encoding)
    if (length === undefined || bytes.length === length) return bytes
  }
  if (media.startsWith('multipart/')) throw refused('the parts of an upload cannot be written again')
  if (isJson(media)) return jsonBytes(body, encoding, length)
  if (media === 'application/x-www-form-urlencoded' && typeof body === 'object' && body !== null) {
    const text = formText(body, length)
    if (text !== undefined && encoding === 'utf8') return Buffer.from(text)
    throw refused('the form has values, or a charset, that cannot be written again')
  }
  if (typeof body !== 'string') throw refused('a parser has left nothing that can be written again')
  if (encoding === undefined || (encoding === 'latin1' && /[^\0-\u00FF]/.test(body)))
    throw refused('the text has a charset that cannot be written again')
  // A byte that is no text was replaced by this character, and so it may be another in each place.
  if (body.includes(REPLACED)) throw refused('the text holds bytes that could not be read')
  return Buffer.from(body, encoding)
}

const REPLACED = '\uFFFD'

/** A string may be the JSON text itself, or the value of a text that was a string. */
function jsonBytes(
  body: unknown,
  encoding: 'utf8' | 'latin1' | undefined,
  length: number | undefined,
): Buffer {
  if (encoding === undefined) throw refused('its JSON has a charset that cannot be written again')
  if (typeof body === 'string' && isJsonText(body, length)) return Buffer.from(inAscii(body, encoding))
  const text = jsonText(body)
  if (text === undefined)
    throw refused('what a parser has left of its JSON is nothing, was rounded, or cannot be written as JSON')
  return Buffer.from(inAscii(text, encoding))
}

/** JSON can say each character in ASCII, which is the same in both. */
function inAscii(json: string, encoding: 'utf8' | 'latin1'): string {
  if (encoding === 'utf8') return json
  return json.replaceAll(/[\u0080-\uFFFF]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A value that is too deep, or that holds itself, makes both of them throw. */
function jsonText(body: unknown): string | undefined {
  try {
    return isExact(body) ? JSON.stringify(body) : undefined
  } catch {
    return undefined
  }
}

function isJsonText(text: string, length: number | undefined): boolean {
  if (length !== undefined && Buffer.byteLength(text) === length) return true
  if (length !== undefined && Buffer.byteLength(JSON.stringify(text)) === length) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function isJson(media: string): boolean {
  return /^application\/(?:(?:[\w.!#$&^-]+\+)?json|csp-report)$/.test(media)
}

/** Whether each number in it can be written as it was read. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number') return isExactNumber(value)
  if (typeof value === 'object' && value !== null) {
    for (const key in value) {
      const part: unknown = Reflect.get(value, key)
      if (part !== undefined && !isExact(part)) return false
    }
    return true
  }
  return value !== undefined
}

/**
 * A whole number of more than 53 bits may be an identifier that the parser has rounded. From 1e21 on JavaScript
 * writes an exponent: then it is a measure.
 */
function isExactNumber(value: number): boolean {
  if (!Number.isFinite(value)) return false
  return !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 1e21
}

/** How text of this Content-Type is written; undefined where Node cannot. */
function encodingOf(type: string): 'utf8' | 'latin1' | undefined {
  const charset = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]*))/i.exec(type)
  if (charset === null) return 'utf8'
  const name = (charset[1] ?? charset[2] ?? '').toLowerCase()
  if (name === 'utf-8' || name === 'utf8' || name === 'us-ascii') return 'utf8'
  return name === 'iso-8859-1' || name === 'latin1' ? 'latin1' : undefined
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

/** @param why the second half of the sentence */
function refused(why: string): RefusedRequestError {
  return new RefusedRequestError(
    500,
    'body_parsed',
    `the request body was parsed before it could be forwarded, and ${why}; mount limpet before body parsers, or keep the bytes in request.rawBody`,
  )
}

let hasWarned = false

/** Says once in a process that bodies are read and written twice. */
export function warnOfParsedBody(): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(
    'A body parser read a request body before limpet could forward it, so limpet writes it again. This costs time and memory, and its bytes may change. Mount limpet before body parsers, or keep them off its paths.',
    { type: 'LimpetWarning', code: 'LIMPET_PARSED_BODY' },
  )
}
