import fc from 'fast-check'

/** One edit of a message. Places and lengths are parts of a thousand, so that they fit a message of any size. */
interface Edit {
  readonly kind: 'insert' | 'replace' | 'delete' | 'repeat' | 'cut'
  readonly at: number
  readonly length: number
  /** An index into the tokens. */
  readonly token: number
}

/** A message of HTTP that was mutated: which of the sound ones, and how. */
export interface Mutation {
  readonly base: number
  readonly edits: readonly Edit[]
  /** Whether it is sent in one piece, or in two that are divided here, in parts of a thousand. */
  readonly split: number
  /** Whether its sender ends the connection behind it. */
  readonly ends: boolean
}

const KINDS = ['insert', 'insert', 'replace', 'replace', 'delete', 'repeat', 'cut'] as const

/** Bytes at which parsers have differed: framing, names, ends of lines, and whole messages in the wrong place. */
const TOKENS: readonly string[] = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '=',
  '"',
  '%',
  '%2e%2e/',
  '//',
  '\\',
  '?',
  '#',
  '\u007f',
  '\u0080',
  '\u00ff',
  '0',
  '1',
  '-1',
  '+5',
  '0x5',
  '99999999999999999999',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length : 5\r\n',
  'Content-Length:\r\n 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding:\u000bchunked\r\n',
  'Host: b\r\n',
  'Host: a b\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: content-length, transfer-encoding, host, cookie\r\n',
  'Connection: upgrade\r\nUpgrade: websocket\r\n',
  'Expect: 100-continue\r\n',
  'Expect: nothing\r\n',
  'TE: trailers\r\n',
  'Trailer: Content-Length\r\n',
  'Cookie: SERVERID=v1.a.b\r\n',
  'Cookie: SERVERID=\u00ff; SERVERID; =; ;;\r\n',
  'Set-Cookie: a=b\r\n',
  'Set-Cookie: SERVERID=mine; Path=/\r\n',
  'X: y\r\n',
  ' folded\r\n',
  'X-Long: ' + 'x'.repeat(20_000) + '\r\n',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  '0\r\nX-Trailer: 1\r\n\r\n',
  'ffffffffffffffff\r\n',
  '5;ext="\r\n"\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.1',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\n',
]

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: fc.nat(1_000),
  length: fc.nat(30),
  token: fc.nat(TOKENS.length - 1),
})

/** @param bases how many sound messages there are */
export function mutations(bases: number): fc.Arbitrary<Mutation> {
  return fc.record({
    base: fc.nat(bases - 1),
    edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
    split: fc.nat(1_000),
    ends: fc.boolean(),
  })
}

/** The bytes of a message, one for each character. */
export function mutated(message: string, edits: readonly Edit[]): string {
  let text = message
  for (const { kind, at, length, token } of edits) {
    const from = Math.floor((text.length * at) / 1_000)
    const to = kind === 'insert' ? from : Math.min(text.length, from + length)
    const piece = kind === 'insert' || kind === 'replace' ? (TOKENS[token] ?? '') : ''
    if (kind === 'cut') text = text.slice(0, from)
    else if (kind === 'repeat') text = text.slice(0, to) + text.slice(from)
    else text = text.slice(0, from) + piece + text.slice(to)
  }
  return text
}
