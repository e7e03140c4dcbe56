import { randomBytes } from 'node:crypto'
import type { BackendFigures } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'
import type { RunningGateway, Start } from './start.ts'

const BODY = 100_000

/** Figures of an adapter's requests and connections. */
export function figures(start: Start): void {
  describe('figures', () => {
    const { web } = upgradeClients()

    test('tell requests, responses and the bytes of connections, open or closed', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      for (let count = 0; count < 2; count += 1)
        await gateway.ask({ method: 'POST', body: Buffer.alloc(BODY, 'a') })
      const { requests, responses, bytesIn, bytesOut, connections, responseTimes } = figuresOf(gateway)
      expect({ requests, responses: responses['2xx'], times: responseTimes.count }).toEqual({
        requests: 2,
        responses: 2,
        times: 2,
      })
      expect(bytesIn).toBeGreaterThan(2 * BODY)
      expect(bytesIn).toBeLessThan(2 * BODY + 10_000)
      expect(bytesOut).toBeGreaterThan(0)
      expect(connections).toBeGreaterThan(0)
      await w1.refuse()
      await expect.poll(() => figuresOf(gateway).connections, { interval: 5 }).toBe(0)
      expect(figuresOf(gateway)).toMatchObject({ bytesIn, bytesOut })
      expect(gateway.affinity.stats().durations.count).toBe(2)
    })

    test('tell open WebSockets, and their bytes while they are open', async () => {
      const gateway = await start([await startTunnelBackend('w1', webSocketServer())])
      const { socket, ask } = await web(gateway.port)
      await ask(randomBytes(BODY))
      expect(figuresOf(gateway)).toMatchObject({ tunnels: 1, inFlight: 1, responses: { '1xx': 1 } })
      expect(figuresOf(gateway).bytesIn).toBeGreaterThan(BODY)
      expect(figuresOf(gateway).bytesOut).toBeGreaterThan(BODY)
      socket.close()
      await expect.poll(() => figuresOf(gateway).tunnels, { interval: 5 }).toBe(0)
      expect(gateway.affinity.stats()).toMatchObject({ inFlight: 0, durations: { count: 0 } })
    })

    test('tell the last health check, its duration and why it failed', async () => {
      const w1 = await startBackend('w1', ({ response }) => void response.writeHead(500).end())
      const gateway = await start([w1], { health: { path: '/health', interval: 50, fall: 1 } })
      await expect.poll(() => figuresOf(gateway).checks.last?.problem, { interval: 5 }).toBe('status 500')
      const { healthy, checks, turnedDown } = figuresOf(gateway)
      expect({ healthy, turnedDown }).toEqual({ healthy: false, turnedDown: 1 })
      expect(checks.failed).toBeGreaterThan(0)
      expect(checks.last?.durationMs).toBeGreaterThan(0)
    })
  })
}

function figuresOf(gateway: RunningGateway): BackendFigures {
  const [figure] = gateway.affinity.stats().backends
  if (figure === undefined) throw new Error('the pool has no backend')
  return figure
}
