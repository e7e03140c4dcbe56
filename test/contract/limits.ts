import type { RequestHead } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { echo } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'
import { expectOver } from './open-tunnel.ts'
import type { RunningGateway, Start } from './start.ts'

/** Backends that have enough to do, and clients who wait. */
export function limits(start: Start): void {
  const { web, raw } = upgradeClients()

  /** A backend that answers when it is told to, and how to tell it. */
  async function busyBackend(id: string) {
    const answers: (() => Promise<void>)[] = []
    const backend = await startBackend(id, exchange => void answers.push(async () => echo(exchange)))
    async function answer(): Promise<void> {
      await expect.poll(() => answers.length, { interval: 2 }).toBeGreaterThan(0)
      await answers.shift()?.()
    }
    return { backend, answer, answers }
  }

  async function waiting({ pool }: RunningGateway, count: number): Promise<void> {
    await expect.poll(() => pool.queued, { interval: 2 }).toBe(count)
  }

  describe('limits', () => {
    test('a request that waits for a full backend is served, body and all, first come first served [LB006]', async () => {
      const { backend, answer } = await busyBackend('w1')
      const gateway = await start([backend], { maxInFlight: 1, whenFull: 'wait' })
      const first = gateway.ask({ path: '/1' })
      await backend.arrival(1)
      const second = gateway.ask({ method: 'POST', path: '/2', body: 'x'.repeat(100_000) })
      await waiting(gateway, 1)
      const third = gateway.ask({ path: '/3' })
      await waiting(gateway, 2)
      expect(backend.seen).toHaveLength(1)
      for (let turn = 0; turn < 3; turn += 1) await answer()
      const responded = await Promise.all([first, second, third])
      expect(responded.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(backend.seen.map(({ url }) => url)).toEqual(['/1', '/2', '/3'])
      expect(backend.seen[1]?.bytes).toBe(100_000)
    })

    test('a client that leaves the queue is forgotten, and its request never reaches the backend', async () => {
      const { backend, answer } = await busyBackend('w1')
      const gateway = await start([backend], { maxInFlight: 1, whenFull: 'wait' })
      const first = gateway.ask({ path: '/1' })
      await backend.arrival(1)
      const leaving = new AbortController()
      const second = gateway.ask({ path: '/2', signal: leaving.signal }).catch(() => 'left')
      const upload = gateway
        .ask({ method: 'POST', path: '/upload', body: 'x'.repeat(10_000), signal: leaving.signal })
        .catch(() => 'left')
      await waiting(gateway, 2)
      leaving.abort()
      expect(await Promise.all([second, upload])).toEqual(['left', 'left'])
      await waiting(gateway, 0)
      await answer()
      expect((await first).status).toBe(200)
      expect(backend.seen.map(({ url }) => url)).toEqual(['/1'])
    })

    test('a client that has left before queueing is not queued', async () => {
      const { backend, answer } = await busyBackend('w1')
      const lookUp = Promise.withResolvers<{ kind: 'none' }>()
      const slow = {
        name: 'slow',
        read: async ({ url }: RequestHead) => (url === '/1' ? [] : lookUp.promise),
      }
      const gateway = await start([backend], { maxInFlight: 1, whenFull: 'wait', affinity: [slow] })
      const first = gateway.ask({ path: '/1' })
      await backend.arrival(1)
      const leaving = new AbortController()
      const second = gateway.ask({ path: '/2', signal: leaving.signal }).catch(() => 'left')
      const handshake = await raw(gateway.port, handshakeText())
      // Refused before a backend is chosen: earlier arrivals and departures have been processed by then.
      const refused = async () => gateway.ask({ method: 'OPTIONS', path: '*' })
      await refused()
      leaving.abort()
      handshake.socket.destroy()
      await second
      await refused()
      lookUp.resolve({ kind: 'none' })
      await refused()
      expect(gateway.pool.queued).toBe(0)
      await answer()
      expect((await first).status).toBe(200)
    })

    test('who waits too long, or finds the queue full, is told 503', async () => {
      const { backend, answer } = await busyBackend('w1')
      const gateway = await start([backend], {
        maxInFlight: 1,
        whenFull: 'wait',
        maxQueue: 1,
        queueTimeout: 100,
      })
      const first = gateway.ask()
      await backend.arrival(1)
      const second = gateway.ask()
      await waiting(gateway, 1)
      const third = await gateway.ask()
      expect([third.status, third.header('retry-after')]).toEqual([503, '1'])
      expect((await second).status).toBe(503)
      await answer()
      expect((await first).status).toBe(200)
    })

    test('WebSockets count as long as they last, and wait like others', async () => {
      const w1 = await startTunnelBackend(
        'w1',
        webSocketServer(socket => socket.on('message', data => socket.send(data))),
      )
      const gateway = await start([w1], { maxInFlight: 1, whenFull: 'wait' })
      const first = await web(gateway.port)
      expect(gateway.view(w1).inFlight).toBe(1)
      const leaver = await raw(gateway.port, handshakeText())
      await waiting(gateway, 1)
      leaver.socket.destroy()
      await waiting(gateway, 0)
      const second = web(gateway.port)
      await waiting(gateway, 1)
      first.socket.close()
      expect((await (await second).ask('at last')).toString()).toBe('at last')
      ;(await second).socket.close()
      await expectOver(gateway)
    })

    test('without an available backend a request waits for one, when configured', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { waitForBackend: '5s' })
      for (const id of ['w1', 'w2']) gateway.pool.setHealthy(id, false)
      const asked = [gateway.ask(), gateway.ask({ method: 'POST', body: 'x' })]
      await waiting(gateway, 2)
      gateway.pool.setHealthy('w2', true)
      const answers = await Promise.all(asked)
      expect(answers.map(({ status, echo: { id } }) => [status, id])).toEqual([
        [200, 'w2'],
        [200, 'w2'],
      ])
    })

    test('a full backend’s session moves, and new ones go where there is room [LB110]', async () => {
      const { backend: w1, answer } = await busyBackend('w1')
      const w2 = await startBackend('w2')
      const gateway = await start([w1, { ...w2.options, backup: true }], { maxInFlight: 1 })
      const first = gateway.ask()
      await w1.arrival(1)
      const browser = gateway.browser()
      expect(await browser.visit()).toBe('w2')
      await answer()
      expect((await first).status).toBe(200)
      // It stays with the backup.
      expect(await browser.visit()).toBe('w2')
    })
  })
}
