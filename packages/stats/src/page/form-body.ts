import type { IncomingMessage } from 'node:http'
import { PageError } from './page-error.ts'

const MAX_BYTES = 8_192

/**
 * The form of a request, from its body or from a parser before.
 * @param parsed the body that a parser has read; undefined: it was not read
 * @throws PageError
 */
export async function readForm(request: IncomingMessage, parsed: unknown): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded *(?:;.*)?$/i.test(request.headers['content-type'] ?? ''))
    throw new PageError(415, 'The page takes its own forms.')
  if (typeof parsed === 'string') return new URLSearchParams(parsed)
  if (typeof parsed === 'object' && parsed !== null)
    return new URLSearchParams(
      Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_BYTES) throw new PageError(413, 'The form is too large.')
    pieces.push(piece)
  }
  return new URLSearchParams(Buffer.concat(pieces).toString())
}
