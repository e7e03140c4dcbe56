// Starts OpenTelemetry before the gateway, as `NODE_OPTIONS=--import=…` does in production.
import { createRequire } from 'node:module'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

new NodeTracerProvider().register()
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] })
// It patches the module when it is loaded.
createRequire(import.meta.url)('http')
