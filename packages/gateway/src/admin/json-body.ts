import type { IncomingMessage } from 'node:http'
import { AdminError } from './admin-error.ts'

const MAX_BYTES = 65_536

/**
 * The body of an admin request, which has to be a JSON object.
 * @throws AdminError
 */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_BYTES) throw new AdminError(413, 'TOO_LARGE', `the body has more than ${MAX_BYTES} bytes`)
    pieces.push(piece)
  }
  const value = parse(Buffer.concat(pieces).toString())
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AdminError(400, 'BAD_REQUEST', 'the body has to be a JSON object')
  return value as Record<string, unknown>
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AdminError(400, 'BAD_REQUEST', 'the body is not JSON')
  }
}
