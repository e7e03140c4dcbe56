import type { IncomingMessage } from 'node:http'
import type { HeaderFields, RequestHead } from '@limpet/core'
import { type ParsedBody, warnOfParsedBody, type WrittenBody, writtenBody } from './parsed-body.ts'
import { bodyTooLarge, type OnProgress, RequestBody } from './request-body.ts'

/** A request's body as a backend is to get it, and the head that goes with it. */
export interface ClientBody {
  readonly head: RequestHead
  readonly body: RequestBody | Buffer
}

/**
 * The body of `request`: the unread stream; otherwise the bytes that a parser has kept, or the serialized value
 * that it has `parsed`.
 * @param limit in bytes
 * @throws RefusedRequestError 413 for a body that is too large, 500 for one that cannot be written again
 */
export function clientBody(
  request: IncomingMessage,
  head: RequestHead,
  parsed: ParsedBody,
  limit: number,
  onProgress: OnProgress,
): ClientBody {
  if (Number(head.headers['content-length'] ?? 0) > limit) throw bodyTooLarge()
  if (!request.readableDidRead) {
    // The stream ended without being read: the body was empty.
    const body = request.readableEnded ? Buffer.alloc(0) : new RequestBody(request, limit, onProgress)
    return { head, body }
  }
  const written = writtenBody(parsed, head.headers)
  if (written.bytes.length > limit) throw bodyTooLarge()
  if (written.bytes !== parsed.rawBody) warnOfParsedBody()
  return { head: headOf(head, written), body: written.bytes }
}

/** The head of a message whose body was serialized again: its length, and no coding that it does not have. */
function headOf(head: RequestHead, { bytes, isDecoded }: WrittenBody): RequestHead {
  const length = String(bytes.length)
  const { 'content-length': before } = head.headers
  // Edits of the application count.
  const dropsCoding = isDecoded && head.edits?.names.has('content-encoding') !== true
  if ((before === undefined || before === length) && !dropsCoding) return head
  const rawHeaders: string[] = []
  for (let index = 0; index + 1 < head.rawHeaders.length; index += 2) {
    const name = head.rawHeaders[index] ?? ''
    const lower = name.toLowerCase()
    if (dropsCoding && lower === 'content-encoding') continue
    rawHeaders.push(name, lower === 'content-length' ? length : (head.rawHeaders[index + 1] ?? ''))
  }
  const headers: HeaderFields = { ...head.headers }
  if (before !== undefined) headers['content-length'] = length
  if (dropsCoding) delete headers['content-encoding']
  return { ...head, rawHeaders, headers }
}
