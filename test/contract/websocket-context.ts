import { describe, test } from 'vitest'
import type { RawConnection } from '../support/raw-client.ts'
import { startTunnelBackend, type TunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText } from '../support/upgrade-clients.ts'
import { acceptWith, answerUpgrade, hangUpgrade } from '../support/upgrade-scripts.ts'
import { ACCEPTED, noting, USERS } from './noting.ts'
import type { RunningGateway, Start } from './start.ts'

/** All that happens to a WebSocket happens in the async context of its handshake. */
export function webSocketContext(start: Start): void {
  const { startNoting, send, settled, expectNotes } = noting(start)

  describe('the async context of a WebSocket', () => {
    async function handshake(gateway: RunningGateway, user: string): Promise<RawConnection> {
      return send(gateway, handshakeText(`X-User: ${user}`))
    }

    test.each<[string, (client: RawConnection, w1: TunnelBackend, gateway: RunningGateway) => unknown]>([
      ['the client leaves', client => client.socket.destroy()],
      ['the backend leaves', async (_client, w1) => (await w1.handshake()).socket.destroy()],
      ['the gateway closes', (_client, _w1, gateway) => gateway.close()],
      ['its backend is drained', (_client, _w1, { pool }) => pool.drain('w1', { deadline: 0 }).drained],
    ])('holds to its end: %s', async (_what, end) => {
      for (const user of USERS) {
        const w1 = await startTunnelBackend('w1', acceptWith())
        const { notes, gateway } = await startNoting([w1])
        const client = await handshake(gateway, user)
        await client.until(received => received.includes('\r\n\r\n'))
        await end(client, w1, gateway)
        await settled(gateway)
        expectNotes(notes, user, ACCEPTED)
      }
    })

    test('holds after a redispatch', async () => {
      const [w1, w2] = [await startTunnelBackend('w1'), await startTunnelBackend('w2', acceptWith())]
      const { notes, gateway } = await startNoting([w1, w2])
      await w1.refuse()
      for (const user of USERS) {
        const client = await handshake(gateway, user)
        await client.until(received => received.includes('\r\n\r\n'))
        client.socket.destroy()
        await settled(gateway)
        expectNotes(notes, user, [...ACCEPTED, 'limpet:failed'])
      }
    })

    test.each<[string, (w1: TunnelBackend, gateway: RunningGateway) => unknown, string]>([
      [
        'rejects it',
        w1 => (w1.upgrade = answerUpgrade('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n')),
        'limpet:responded',
      ],
      ['refuses the connection', async w1 => w1.refuse(), 'limpet:failed'],
      ['breaks the connection', w1 => (w1.upgrade = ({ socket }) => void socket.destroy()), 'limpet:failed'],
      ['is too slow', w1 => (w1.upgrade = hangUpgrade), 'limpet:failed'],
      ['is down', (_w1, { pool }) => pool.setHealthy('w1', false), 'limpet:refused'],
    ])('holds when the backend %s', async (_what, spoil, event) => {
      const w1 = await startTunnelBackend('w1')
      const { notes, gateway } = await startNoting([w1], { timeouts: { response: 50 } })
      await spoil(w1, gateway)
      for (const user of USERS) {
        const client = await handshake(gateway, user)
        await client.until(() => false)
        await settled(gateway)
        expectNotes(notes, user, [event])
      }
    })
  })
}
