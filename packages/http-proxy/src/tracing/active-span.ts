import { openTelemetry } from './open-telemetry.ts'

/** The key of the active span in a context, as every @opentelemetry/api 1 makes it. */
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN')

/** The part of OpenTelemetry's SpanContext that identifies a span: 32 and 16 lower-case hexadecimal digits. */
export interface SpanIds {
  readonly traceId: string
  readonly spanId: string
}

/** The span that is active now; undefined without one, or when the application has not registered OpenTelemetry. */
export function activeSpan(): SpanIds | undefined {
  const span = openTelemetry().context?.active().getValue(SPAN) as { spanContext(): SpanIds } | undefined
  const ids = span?.spanContext()
  // A span that is not recorded has valid ids too; one without a tracer has zeros.
  return ids === undefined || NO_TRACE.test(ids.traceId) ? undefined : ids
}

const NO_TRACE = /^0*$/
