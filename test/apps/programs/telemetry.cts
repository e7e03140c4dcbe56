// Sets up OpenTelemetry before the application loads its framework. The application replies with the spans.
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { KoaInstrumentation } from '@opentelemetry/instrumentation-koa'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

const exporter = new InMemorySpanExporter()

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation(),
    new UndiciInstrumentation(),
    new ExpressInstrumentation(),
    new KoaInstrumentation(),
  ],
})

// The test asks for the spans by IPC, so that the question itself leaves none.
process.on('message', () => {
  const spans = exporter.getFinishedSpans().map(span => {
    const { name, kind, attributes, parentSpanContext, status } = span
    const { traceId, spanId } = span.spanContext()
    const parentSpanId = parentSpanContext?.spanId
    return { name, kind, attributes, traceId, spanId, parentSpanId, statusCode: status.code }
  })
  exporter.reset()
  process.send?.({ spans })
})
