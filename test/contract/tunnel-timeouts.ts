import { describe, expect, test } from 'vitest'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { withPauses } from '../support/with-pauses.ts'
import { expectOver, type Tunnel, tunnelOpener } from './open-tunnel.ts'
import type { Start } from './start.ts'

/** The gateway gives a peer 5 s to close its side, and by default a tunnel that nothing passes in an hour. */
const SOME_TIME_MS = 60_000

/** WebSockets that neither side ends, or only half. */
export function tunnelTimeouts(start: Start): void {
  const clients = upgradeClients()
  const { raw } = clients
  const open = tunnelOpener(start, clients)

  describe('a WebSocket that neither side ends', () => {
    test('a peer that will not go is gone after a while', async () => {
      const CASES: Record<string, (tunnel: Tunnel) => unknown> = {
        'a client that has ended and stays': ({ client }) => client.socket.end(),
        'a client that stays behind a backend that has ended': ({ backend }) => backend.socket.end(),
        'a backend that stays behind a client that has ended': ({ client, backend }) => {
          backend.socket.resume()
          client.socket.end()
        },
        'a backend that does not even read': ({ client }) => client.socket.end('x'),
      }
      const endings = Object.values(CASES).map(async go => {
        const tunnel = await open({}, true)
        go(tunnel)
        await expectOver(tunnel.gateway, SOME_TIME_MS)
        // The gateway has gone: the backend has only to look.
        tunnel.backend.socket.end().resume()
        await tunnel.backend.over
      })
      await Promise.all(endings)
    })

    test.each(['client', 'backend'] as const)(
      'a %s that does not read is disconnected after the idle time',
      async side => {
        const { gateway, client, backend } = await open({ tunnel: '300ms' }, true)
        const [reader, writer] =
          side === 'client' ? [client.socket, backend.socket] : [backend.socket, client.socket]
        reader.pause()
        writer.on('error', () => {}).write(Buffer.alloc(30_000_000))
        await expectOver(gateway, SOME_TIME_MS)
        // The gateway has gone; the rest is in the hands of the kernel.
        backend.socket.destroy()
      },
    )

    test('a client that stays behind an answer, and sends on, is gone after a while', async () => {
      const gateway = await start([])
      const declined = handshakeText('').replace('websocket', 'h2c')
      for (const text of [handshakeText(), declined, handshakeText('Host: b')]) {
        const client = await raw(gateway.port, `${text}and more`, { allowHalfOpen: true })
        await client.responded()
        client.write('x'.repeat(100_000))
      }
      await expectOver(gateway, SOME_TIME_MS)
    })

    test('it ends when nothing has passed for so long', async () => {
      const { gateway, client, backend } = await open({ tunnel: '300ms' })
      const startedMs = performance.now()
      // It would be quiet for an hour without the option.
      await client.until(() => false, 10_000)
      expect(client.closed).toBe(true)
      expect(performance.now() - startedMs).toBeGreaterThan(250)
      await backend.over
      await expectOver(gateway)
    })

    test.each(['client', 'backend'] as const)(
      'it does not end while something passes, if only from the %s',
      async side => {
        await withPauses(400, async (limitMs, pause) => {
          const { gateway, client, backend } = await open({ tunnel: limitMs })
          const [from, to] =
            side === 'client' ? [client.socket, backend.socket] : [backend.socket, client.socket]
          const before = to.bytesRead
          to.resume()
          for (let piece = 0; piece < 8; piece += 1) {
            from.write('.')
            await pause()
          }
          expect([client.closed, to.bytesRead - before]).toEqual([false, 8])
          expect(gateway.view({ id: 'w1' }).inFlight).toBe(1)
        })
      },
    )
  })
}
