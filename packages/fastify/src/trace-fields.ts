import { channel } from 'node:diagnostics_channel'
import { openTelemetry } from '@limpet/http-proxy/transport'

/** Where undici tells of each request, and where tracing tools add their fields to it. */
const CREATED = channel('undici:request:create')

/**
 * The lines without the fields of the client's trace, if OpenTelemetry writes new ones: a tool listens to undici, and a
 * propagator is registered. It adds lines and replaces none, and a backend that gets two `traceparent` lines ignores
 * both (W3C Trace Context §3.3.1).
 * @param lines name, value, name, value …
 */
export function withoutTraceFields(lines: string[]): string[] {
  if (!CREATED.hasSubscribers) return lines
  const fields = openTelemetry().propagation?.fields?.() ?? []
  if (fields.length === 0) return lines
  const replaced = new Set(fields.map(field => field.toLowerCase()))
  return lines.filter((_, index) => !replaced.has((lines[index - (index % 2)] ?? '').toLowerCase()))
}
