import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

const TRACER = new URL('../support/context-tracer.ts', import.meta.url)

describe.each(['fastify', 'express', 'koa'])('limpet with %s', adapter => {
  test('publishes the events of a request in the async context that a preloaded module entered', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], { adapter }), [], {
      NODE_OPTIONS: `--import=${TRACER.href}`,
    })
    for (const user of ['alice', 'bob', 'carol']) {
      const before = gateway.log.length
      expect((await gateway.ask({ headers: { 'X-User': user } })).status).toBe(200)
      const traced = () => gateway.log.slice(before).filter(({ event }) => event.startsWith('limpet:'))
      await expect
        .poll(() => traced().map(({ event, user: of }) => [event, of]))
        .toEqual(['selected', 'connected', 'responded', 'released'].map(event => [`limpet:${event}`, user]))
    }
    expect(w1.connections).toBe(1)
  })
})
