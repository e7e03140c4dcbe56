/** A message as a strict reader finds it at the beginning of some bytes. */
export interface WireMessage {
  readonly start: string
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** Where the next message begins. */
  readonly end: number
}

/** Bytes that are no message (RFC 9112). */
export class MalformedMessage extends Error {}

const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/
const REQUEST = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.1$/
const STATUS = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/

/**
 * Reads a request from `text`, one character for each byte; undefined while it is not complete. Bytes are taken as the RFCs
 * write them, and nothing is repaired.
 * @throws MalformedMessage
 */
export function readRequest(text: string): WireMessage | undefined {
  return readMessage(text, REQUEST, lines => bodyEnd(lines, 0))
}

/**
 * The same for a final response.
 * @param isHead whether it is to a HEAD request
 * @param isClosed whether the connection has ended behind the text
 */
export function readResponse(text: string, isHead: boolean, isClosed: boolean): WireMessage | undefined {
  return readMessage(text, STATUS, (lines, start) => {
    const status = Number(STATUS.exec(start)?.[1])
    if (isHead || status < 200 || status === 204 || status === 304) return { length: 0 }
    return bodyEnd(lines, isClosed ? Infinity : -1)
  })
}

type Framing = { readonly length: number } | 'chunked'

function readMessage(
  text: string,
  startLine: RegExp,
  framing: (lines: WireMessage['lines'], start: string) => Framing,
): WireMessage | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [start = '', ...fields] = text.slice(0, headEnd).split('\r\n')
  if (!startLine.test(start)) throw new MalformedMessage(`start line ${JSON.stringify(start)}`)
  const lines = fields.map(fieldOf)
  const from = headEnd + 4
  const framed = framing(lines, start)
  if (framed === 'chunked') {
    const end = chunkedEnd(text, from)
    return end === undefined ? undefined : { start, lines, end }
  }
  if (framed.length < 0) return undefined
  if (framed.length === Infinity) return { start, lines, end: text.length }
  return text.length < from + framed.length ? undefined : { start, lines, end: from + framed.length }
}

function fieldOf(field: string): readonly [string, string] {
  const [, name, value] = FIELD.exec(field) ?? []
  if (name === undefined || value === undefined) throw new MalformedMessage(`field ${JSON.stringify(field)}`)
  return [name.toLowerCase(), value]
}

function bodyEnd(lines: WireMessage['lines'], unframed: number): Framing {
  const values = (name: string): readonly string[] =>
    lines.filter(([key]) => key === name).map(([, value]) => value.trim())
  const lengths = values('content-length')
  const codings = values('transfer-encoding')
  if (lengths.length + codings.length > 1) throw new MalformedMessage('framed twice')
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked') throw new MalformedMessage(`coding ${codings[0]}`)
    return 'chunked'
  }
  const [length] = lengths
  if (length === undefined) return { length: unframed }
  if (!/^\d{1,15}$/.test(length)) throw new MalformedMessage(`length ${length}`)
  return { length: Number(length) }
}

function chunkedEnd(text: string, from: number): number | undefined {
  for (let at = from; ;) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = text.slice(at, line)
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw new MalformedMessage(`chunk ${JSON.stringify(size)}`)
    const length = Number.parseInt(size, 16)
    if (length === 0) return trailerEnd(text, line + 2)
    const end = line + 2 + length
    if (text.length < end + 2) return undefined
    if (text.slice(end, end + 2) !== '\r\n') throw new MalformedMessage('chunk without an end')
    at = end + 2
  }
}

function trailerEnd(text: string, from: number): number | undefined {
  if (text.startsWith('\r\n', from)) return from + 2
  const end = text.indexOf('\r\n\r\n', from)
  if (end < 0) return undefined
  for (const field of text.slice(from, end).split('\r\n')) fieldOf(field)
  return end + 4
}
