import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { valuesOf } from '../support/header-lines.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`
const TELEMETRY = new URL('../support/gateway-telemetry.ts', import.meta.url).href

describe('the trace of a request in the log', () => {
  test('is that of its traceparent, without OpenTelemetry in the gateway', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1]))
    await gateway.ask({ headers: { traceparent: TRACEPARENT } })
    const traced = await gateway.logged('request', 1)
    expect([traced['traceId'], traced['spanId']]).toEqual([TRACE, undefined])
    expect(valuesOf(w1.last.lines, 'traceparent')).toEqual([TRACEPARENT])
    for (const [index, traceparent] of ['00-ff', `${TRACEPARENT}-more`].entries()) {
      await gateway.ask({ headers: { traceparent } })
      expect(await gateway.logged('request', index + 2)).not.toHaveProperty('traceId')
    }
    await gateway.ask()
    expect(await gateway.logged('request', 4)).not.toHaveProperty('traceId')
  })

  test.each(['express', 'fastify', 'koa'])('is that of the active span on %s', async adapter => {
    const w1 = await startBackend('w1')
    const options = { NODE_OPTIONS: `--import=${TELEMETRY}` }
    const gateway = await GatewayProcess.start(fileOf([w1], { adapter }), [], options)
    await gateway.ask({ headers: { traceparent: TRACEPARENT } })
    const continued = await gateway.logged('request', 1)
    expect(continued['traceId']).toBe(TRACE)
    expect(continued['spanId']).toMatch(/^[\da-f]{16}$/)
    // The span of the client is not that of the request.
    expect(TRACEPARENT).not.toContain(String(continued['spanId']))
    await gateway.ask()
    const begun = await gateway.logged('request', 2)
    expect(begun['traceId']).toMatch(/^[\da-f]{32}$/)
    expect(begun['traceId']).not.toBe(TRACE)
  })
})
