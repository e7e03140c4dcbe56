import type { IncomingHttpHeaders } from 'node:http'
import { activeSpan } from '@limpet/http-proxy/transport'

/** The trace that a request belongs to. */
export interface RequestTrace {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  /** The span of this request here, 16 digits; undefined without tracing in this process. */
  readonly spanId: string | undefined
}

/**
 * The trace of a request: that of the active span of OpenTelemetry, or else the one that its client names. The span of a
 * client is not the request's, so it is left out.
 */
export function traceOf({ traceparent }: IncomingHttpHeaders): RequestTrace | undefined {
  const span = activeSpan()
  if (span !== undefined) return { traceId: span.traceId, spanId: span.spanId }
  const traceId = typeof traceparent === 'string' ? traceIdIn(traceparent) : undefined
  return traceId === undefined ? undefined : { traceId, spanId: undefined }
}

/** W3C Trace Context §3.2.2. Later versions may have more parts. Several fields, which Node joins, are none. */
function traceIdIn(traceparent: string): string | undefined {
  const [, version, traceId, parentId, rest] = TRACEPARENT.exec(traceparent) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && rest !== '')) return undefined
  return traceId === NO_TRACE || parentId === NO_PARENT ? undefined : traceId
}

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(-[\x21-\x2b\x2d-\x7e]{0,256}|)$/
const NO_TRACE = '0'.repeat(32)
const NO_PARENT = '0'.repeat(16)
