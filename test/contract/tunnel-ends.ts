import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { echo } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { hangUpgrade, webSocketServer } from '../support/upgrade-scripts.ts'
import { expectOver, tunnelOpener } from './open-tunnel.ts'
import type { Start } from './start.ts'

/** A side that has lost the other is let go within this time. */
const SOON_MS = 1_500

/** The end of a WebSocket, from either side. */
export function tunnelEnds(start: Start): void {
  const clients = upgradeClients()
  const { web, raw } = clients
  const open = tunnelOpener(start, clients)

  describe('the end of a WebSocket', () => {
    test('a client’s goodbye reaches the backend with its code, and the other way round', async () => {
      const closed: unknown[] = []
      const w1 = await startTunnelBackend(
        'w1',
        webSocketServer(socket => {
          socket.on('close', (code, reason) => closed.push([code, reason.toString()]))
          socket.on('message', () => socket.close(4002, 'that is all'))
        }),
      )
      const gateway = await start([w1])
      const first = await web(gateway.port)
      first.socket.close(4001, 'enough')
      expect(await first.closed).toEqual({ code: 4001, reason: 'enough' })
      const second = await web(gateway.port)
      second.socket.send('go')
      expect(await second.closed).toEqual({ code: 4002, reason: 'that is all' })
      await expect
        .poll(() => closed, { interval: 5 })
        .toEqual([
          [4001, 'enough'],
          [4002, 'that is all'],
        ])
      await expectOver(gateway)
      expect(gateway.view(w1).failures).toBe(0)
    })

    test.each([
      ['ends', (socket: Socket) => socket.end('last words')],
      ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ] as const)('a client that %s takes the backend’s connection along', async (how, go) => {
      const { gateway, w1, client, backend } = await open()
      let heard = ''
      backend.socket.on('data', (data: Buffer) => (heard += data.toString()))
      const startedMs = performance.now()
      go(client.socket)
      await backend.over
      expect(performance.now() - startedMs).toBeLessThan(SOON_MS)
      expect(heard).toBe(how === 'ends' ? 'last words' : '')
      await expectOver(gateway)
      expect(gateway.view(w1).failures).toBe(0)
    })

    test.each([
      ['ends', (socket: Socket) => socket.end('last words')],
      ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ] as const)('a backend that %s takes the client’s connection along', async (how, go) => {
      const { gateway, client, backend } = await open()
      const startedMs = performance.now()
      go(backend.socket)
      await client.until(() => false)
      expect(performance.now() - startedMs).toBeLessThan(SOON_MS)
      expect([client.closed, client.behind]).toEqual([true, how === 'ends' ? 'last words' : ''])
      await expectOver(gateway)
    })

    test('all that was sent before the end arrives', async () => {
      const { gateway, client, backend } = await open()
      const size = 20_000_000
      backend.socket.end(Buffer.alloc(size, 'x'))
      await client.until(() => false)
      expect([client.closed, client.behind.length]).toEqual([true, size])
      await expectOver(gateway)
    })

    test('a backend that is drained, in maintenance or removed keeps those that it has', async () => {
      for (const how of ['drain', 'maint', 'remove'] as const) {
        const { gateway, w1, client, backend } = await open()
        const w2 = await startTunnelBackend('w2')
        gateway.pool.add(w2.options)
        backend.socket.pipe(backend.socket)
        if (how === 'remove') gateway.pool.remove('w1')
        else gateway.pool.setState('w1', how)
        await gateway.ask()
        client.write(how)
        await client.until(() => client.behind === how)
        expect([client.behind, w1.tunnels.size]).toEqual([how, 1])
      }
    })

    test('a gateway that closes ends those that are open, and those that are not yet', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      const opened = await raw(gateway.port)
      await opened.responded()
      w1.upgrade = hangUpgrade
      const waiting = await raw(gateway.port)
      await w1.handshake(2)
      const startedMs = performance.now()
      await gateway.close()
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      await Promise.all([opened.until(() => false), waiting.until(() => false)])
      expect([opened.closed, waiting.closed]).toEqual([true, true])
      for (const { over } of w1.handshakes) await over
    })

    test('a gateway that closes takes no more of them', async () => {
      const { promise: isClosing, resolve: go } = Promise.withResolvers<void>()
      const w1 = await startTunnelBackend('w1')
      w1.script = async exchange => {
        await isClosing
        await echo(exchange)
      }
      const gateway = await start([w1])
      const client = await raw(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await w1.arrival()
      const closing = gateway.close()
      go()
      await client.until(received => received.endsWith('}'))
      client.write(handshakeText())
      await closing
      await client.until(() => false)
      expect(client.received).not.toContain(' 101 ')
      expect([client.closed, w1.handshakes.length]).toEqual([true, 0])
    })
  })
}
