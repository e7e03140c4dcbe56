import { createRequire } from 'node:module'
import { limpet } from '@limpet/fastify'
import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`

/** Starts OpenTelemetry with its instrumentation of node:http servers and of undici. */
function startTracing(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  const stop = registerInstrumentations({
    instrumentations: [
      // The test's own client and backends are not part of the trace.
      new HttpInstrumentation({
        disableOutgoingRequestInstrumentation: true,
        ignoreIncomingRequestHook: request => request.headers['x-real-ip'] !== undefined,
      }),
      new UndiciInstrumentation(),
    ],
  })
  // It patches the module when it is loaded.
  createRequire(import.meta.url)('http')
  onTestFinished(async () => {
    stop()
    await provider.shutdown()
  })
  return exporter
}

afterEach(() => {
  trace.disable()
  propagation.disable()
  context.disable()
})

/** The spans of a request once they have ended. */
function spansOf(exporter: InMemorySpanExporter): { server: ReadableSpan[]; client: ReadableSpan[] } {
  const spans = exporter.getFinishedSpans()
  return {
    server: spans.filter(({ kind }) => SpanKind[kind] === 'SERVER'),
    client: spans.filter(({ kind }) => SpanKind[kind] === 'CLIENT'),
  }
}

describe('OpenTelemetry', () => {
  test('a traced request has one server span, and a client span for each attempt [B6]', async () => {
    const exporter = startTracing()
    const [down, w2] = await startBackends('down', 'w2')
    await down.refuse()
    const app = newApp()
    await app.register(limpet, poolOf(down, w2))
    const port = await listen(app)
    const answer = await ask(port, { path: '/cart?x=1', headers: { traceparent: PARENT, tracestate: 'a=b' } })
    expect(answer.echo.id).toBe('w2')
    await app.close()
    const { server, client } = spansOf(exporter)
    expect(server.map(span => [span.spanContext().traceId, span.parentSpanContext?.spanId])).toEqual([
      [TRACE, 'b7ad6b7169203331'],
    ])
    const parent = server[0]?.spanContext().spanId
    expect(client.map(span => span.parentSpanContext?.spanId)).toEqual(client.map(() => parent))
    const sent = client.at(-1)
    expect(sent?.attributes).toMatchObject({
      'server.address': '127.0.0.1',
      'server.port': w2.port,
      'url.path': '/cart',
      'url.query': '?x=1',
    })
    expect(client.map(span => span.attributes['server.port'])).toEqual([down.port, w2.port])
    const { lines } = w2.last
    expect(valuesOf(lines, 'traceparent')).toEqual([`00-${TRACE}-${sent?.spanContext().spanId}-01`])
    expect(valuesOf(lines, 'tracestate')).toEqual(['a=b'])
  })

  test("without it the client's fields pass as they are [B6]", async () => {
    const w1 = await startBackend('w1')
    const app = newApp()
    await app.register(limpet, poolOf(w1))
    await ask(await listen(app), { headers: { traceparent: PARENT, baggage: 'a=1' } })
    expect([valuesOf(w1.last.lines, 'traceparent'), valuesOf(w1.last.lines, 'baggage')]).toEqual([
      [PARENT],
      ['a=1'],
    ])
  })

  test("a listener without a propagator leaves the client's fields [B6]", async () => {
    const stop = registerInstrumentations({ instrumentations: [new UndiciInstrumentation()] })
    onTestFinished(stop)
    const w1 = await startBackend('w1')
    const app = newApp()
    await app.register(limpet, poolOf(w1))
    await ask(await listen(app), { headers: { traceparent: PARENT } })
    expect(valuesOf(w1.last.lines, 'traceparent')).toEqual([PARENT])
  })
})
