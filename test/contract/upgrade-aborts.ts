import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startBlackHole } from '../support/black-hole.ts'
import { startTunnelBackend, startTunnelBackends } from '../support/tunnel-backend.ts'
import { handshakeText, type RawTunnel, upgradeClients } from '../support/upgrade-clients.ts'
import { acceptEcho, drain, hangUpgrade, switching } from '../support/upgrade-scripts.ts'
import { expectOver } from './open-tunnel.ts'
import type { RunningGateway, Start } from './start.ts'

const WAYS = [
  ['closes', (client: RawTunnel) => client.socket.destroy()],
  ['resets', (client: RawTunnel) => client.socket.resetAndDestroy()],
] as const

/** How long a backend may go on working for a client that has left. */
const SOON_MS = 1_500

/** Clients that leave before they have their WebSocket. */
export function upgradeAborts(start: Start): void {
  describe('a client that leaves a WebSocket handshake', () => {
    const { raw } = upgradeClients()

    test.each(WAYS)('at once (%s)', async (_how, leave) => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      for (let times = 0; times < 10; times += 1) leave(await raw(gateway.port))
      await expectNobody(gateway)
    })

    test.each(WAYS)('while a policy is asked (%s): no backend is', async (_how, leave) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
      const w1 = await startTunnelBackend('w1')
      const read = async (): Promise<{ kind: 'none' }> => {
        ask()
        await promise
        return { kind: 'none' }
      }
      const gateway = await start([w1], { affinity: [{ name: 'test', read }] })
      const client = await raw(gateway.port)
      await asked
      leave(client)
      await expectNobody(gateway)
      resolve()
      await gateway.ask()
      expect([w1.handshakes.length, w1.seen.length]).toEqual([0, 1])
    })

    test.each(WAYS)(
      'before any backend is reached (%s): the next one is not tried [T-41]',
      async (_how, leave) => {
        const w2 = await startTunnelBackend('w2')
        const gateway = await start([await startBlackHole('w1'), w2], { timeouts: { connect: 300 } })
        const client = await raw(gateway.port)
        await expect.poll(() => gateway.view({ id: 'w1' }).inFlight, { interval: 5 }).toBe(1)
        leave(client)
        await expectNobody(gateway)
        // The time in which the next one would have been tried.
        await delay(500)
        expect([w2.connections, gateway.view(w2).requests]).toEqual([0, 0])
      },
    )

    test.each(WAYS)(
      'while the backend is silent (%s): it is released at once, and no other is tried',
      async (_how, leave) => {
        const [w1, w2] = await startTunnelBackends('w1', 'w2')
        w1.upgrade = hangUpgrade
        const gateway = await start([w1, w2])
        const client = await raw(gateway.port)
        const { over } = await w1.handshake()
        const leftMs = performance.now()
        leave(client)
        await over
        expect(performance.now() - leftMs).toBeLessThan(SOON_MS)
        await expectNobody(gateway)
        expect(w2.handshakes).toEqual([])
      },
    )

    test('while the backend says nothing, after it has sent something: the same', async () => {
      const w1 = await startTunnelBackend('w1', hangUpgrade)
      const gateway = await start([w1])
      const client = await raw(gateway.port, `${handshakeText()}early`)
      const { over } = await w1.handshake()
      client.socket.resetAndDestroy()
      await over
      await expectNobody(gateway)
    })

    test.each(WAYS)('as it is accepted (%s)', async (_how, leave) => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      for (let times = 1; times <= 10; times += 1) {
        const { promise, resolve } = Promise.withResolvers<RawTunnel>()
        w1.upgrade = async handshake => {
          drain(handshake.socket).write(switching(handshake, { behind: 'x'.repeat(100_000) }))
          leave(await promise)
        }
        resolve(await raw(gateway.port))
        await (
          await w1.handshake(times)
        ).over
      }
      await expectNobody(gateway)
    })

    test.each(WAYS)('right behind the 101 (%s)', async (_how, leave) => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      for (let times = 1; times <= 10; times += 1) {
        const client = await raw(gateway.port)
        await client.responded()
        leave(client)
        await (
          await w1.handshake(times)
        ).over
      }
      await expectNobody(gateway)
    })

    test('many at once, at any moment: all backends are released [T-41, T-59]', async () => {
      const w1 = await startTunnelBackend('w1', async handshake => {
        await delay(handshake.url.length)
        acceptEcho(handshake)
      })
      const gateway = await start([w1])
      const clients = Array.from({ length: 100 }, async (_, index) => {
        const client = await raw(gateway.port, handshakeText().replace('/chat', `/${'x'.repeat(index % 40)}`))
        client.write('data')
        await delay((index * 7) % 45)
        WAYS[index % 2 === 0 ? 0 : 1][1](client)
      })
      await Promise.all(clients)
      await expectNobody(gateway)
    })
  })
}

/** It is over for all, and no backend is to blame. */
async function expectNobody(gateway: RunningGateway): Promise<void> {
  await expectOver(gateway)
  expect(gateway.pool.backends.map(({ failures }) => failures)).toEqual(gateway.pool.backends.map(() => 0))
}
