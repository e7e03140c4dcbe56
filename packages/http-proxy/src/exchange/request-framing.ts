import type { RequestHead } from '@limpet/core'
import { RequestBody } from './request-body.ts'
import { wireLine } from './wire-line.ts'

/**
 * The lines that frame `body`, beside the Content-Length that `request` may have. Without them Node would write
 * the body of a GET or DELETE without framing, and a backend would take it for the next request (RFC 9112 §6.3).
 */
export function framingLines(request: RequestHead, body: RequestBody | Buffer | null): readonly string[] {
  if (wireLine(request.rawHeaders, 'content-length') !== undefined) return []
  if (body instanceof RequestBody) return ['Transfer-Encoding', 'chunked']
  // Bytes that a parser has kept may have come in chunks.
  if (body !== null) return ['Content-Length', String(body.length)]
  return WITHOUT_BODY.has(request.method) ? [] : ['Content-Length', '0']
}

/** Methods that have no body: of others a length says that there is none (RFC 9110 §8.6). */
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])
