import { channel } from 'node:diagnostics_channel'

/** Where undici tells of each request, and where tracing tools add their fields to it. */
const CREATED = channel('undici:request:create')

/** The key under which every @opentelemetry/api 1 registers its parts. */
const API = Symbol.for('opentelemetry.js.api.1')

interface OpenTelemetry {
  readonly propagation?: { fields?: () => readonly string[] }
}

/**
 * The lines without the fields of the client's trace, if OpenTelemetry writes new ones: a tool listens to undici, and a
 * propagator is registered. It adds lines and replaces none, and a backend that gets two `traceparent` lines ignores
 * both (W3C Trace Context §3.3.1).
 * @param lines name, value, name, value …
 */
export function withoutTraceFields(lines: string[]): string[] {
  if (!CREATED.hasSubscribers) return lines
  const { propagation } = (Reflect.get(globalThis, API) ?? {}) as OpenTelemetry
  const fields = propagation?.fields?.() ?? []
  if (fields.length === 0) return lines
  const replaced = new Set(fields.map(field => field.toLowerCase()))
  return lines.filter((_, index) => !replaced.has((lines[index - (index % 2)] ?? '').toLowerCase()))
}
