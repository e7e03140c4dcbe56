import { setImmediate as immediately } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { answerUpgrade, hangUpgrade } from '../support/upgrade-scripts.ts'
import type { RunningGateway, Start } from './start.ts'

/** Keeps its half of the connection open for ever. */
const STAYING = { allowHalfOpen: true }
/** Longer than a refused connection lingers. */
const CLOSED_MS = 10_000

/** Clients whose connections have left HTTP, and that do not leave when an app closes. */
export function closing(start: Start): void {
  describe('closing an app', () => {
    const { raw } = upgradeClients()

    test('does not wait for a handshake at a silent backend', async () => {
      const w1 = await startTunnelBackend('w1', hangUpgrade)
      const gateway = await start([w1], { timeouts: { response: '1h' } })
      await raw(gateway.port, handshakeText(), STAYING)
      await w1.handshake()
      await expectCloses(gateway)
    })

    test('does not wait for a handshake in the queue', async () => {
      const w1 = await startTunnelBackend('w1', hangUpgrade)
      const gateway = await start([w1], { maxInFlight: 1, whenFull: 'wait', queueTimeout: '1h' })
      await raw(gateway.port, handshakeText(), STAYING)
      await w1.handshake()
      const queued = await raw(gateway.port, handshakeText(), STAYING)
      await expect.poll(() => gateway.pool.queued, { interval: 5 }).toBe(1)
      await expectCloses(gateway)
      expect((await queued.responded()).statusLine).toBe('HTTP/1.1 503 Service Unavailable')
    })

    test('does not wait for the client of a refused CONNECT', async () => {
      const gateway = await start([await startTunnelBackend('w1')])
      const refused = await raw(gateway.port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', STAYING)
      expect((await refused.responded()).statusLine).toBe('HTTP/1.1 501 Not Implemented')
      await expectCloses(gateway)
    })

    test('does not wait for the client of a declined upgrade', async () => {
      const gateway = await start([await startTunnelBackend('w1')])
      const text =
        'POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx'
      const declined = await raw(gateway.port, text, STAYING)
      expect((await declined.responded()).statusLine).toBe('HTTP/1.1 400 Bad Request')
      await expectCloses(gateway)
    })

    test('does not wait for the client of a backend’s refusal without an end', async () => {
      const refusal = 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n'
      const w1 = await startTunnelBackend('w1', answerUpgrade(refusal, 'stay'))
      const gateway = await start([w1], { timeouts: { response: '1h', idle: '1h' } })
      const refused = await raw(gateway.port, handshakeText(), STAYING)
      expect((await refused.responded()).statusLine).toBe('HTTP/1.1 403 Forbidden')
      await expectCloses(gateway)
    })

    test('survives a client that resets the connection of a refused CONNECT', async () => {
      const gateway = await start([await startTunnelBackend('w1')])
      for (let client = 0; client < 5; client += 1) {
        const refused = await raw(gateway.port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', STAYING)
        await refused.responded()
        refused.socket.resetAndDestroy()
      }
      await expect.poll(async () => gateway.connections()).toBe(0)
    })
  })
}

async function expectCloses(gateway: RunningGateway): Promise<void> {
  await immediately()
  const startedMs = performance.now()
  await gateway.close()
  expect(performance.now() - startedMs).toBeLessThan(CLOSED_MS)
}
