import { OutgoingMessage, type ServerResponse } from 'node:http'

/** Longest body of which a copy costs less than a second part of the write. Measured with Node 24. */
const MAX_BYTES = 2_048

const end: unknown = Reflect.get(OutgoingMessage.prototype, 'end')

/**
 * Lets the next `end` of a response write its head and a short body as one piece: Node joins a head with a text, and
 * not with bytes. As latin1 a text is the same bytes. Responses whose `end` other code has replaced stay as they are.
 */
export function endInOneWrite(response: ServerResponse): void {
  if (Reflect.get(response, 'end') === end) Object.assign(response, { end: endAsText })
}

function endAsText(this: ServerResponse, chunk?: unknown, encoding?: unknown, callback?: unknown): unknown {
  const isShort = Buffer.isBuffer(chunk) && chunk.length <= MAX_BYTES
  const call = end as (this: ServerResponse, ...given: unknown[]) => unknown
  return isShort
    ? call.call(
        this,
        chunk.toString('latin1'),
        'latin1',
        callback ?? (typeof encoding === 'function' ? encoding : undefined),
      )
    : call.call(this, chunk, encoding, callback)
}
