import { describe, expect, test } from 'vitest'
import { valuesOf } from '../support/header-lines.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { applicationThat, authenticate, type Edit } from './editing.ts'
import type { Start } from './start.ts'

/** An application's edits of a WebSocket handshake. */
export function handshakeEdits(start: Start): void {
  const { raw } = upgradeClients()

  describe('a WebSocket handshake that the application has edited', () => {
    test('arrives so [B2]', async () => {
      const w1 = await startTunnelBackend('w1')
      const edit: Edit = request => {
        authenticate(request)
        request.url = '/new?x'
        request.headers['x-role'] = 'guest'
        delete request.headers.upgrade
        request.headers.connection = 'close'
        request.headers['content-length'] = '5'
      }
      const gateway = await start([w1], { around: applicationThat(edit) })
      const client = await raw(
        gateway.port,
        handshakeText('X-User-Id: 1-spoofed', 'X-A: 1', 'X-Role: guest').replace(
          ': Upgrade',
          ': Upgrade, X-Gateway-User, X-Role',
        ),
      )
      expect((await client.responded()).statusLine).toContain(' 101 ')
      const { lines, url } = await w1.handshake()
      expect(url).toBe('/new?x')
      expect(valuesOf(lines, 'x-user-id')).toEqual([])
      expect(valuesOf(lines, 'x-gateway-user')).toEqual(['alice'])
      expect(valuesOf(lines, 'x-role')).toEqual(['guest'])
      expect(valuesOf(lines, 'x-a')).toEqual(['1'])
      expect(valuesOf(lines, 'connection')).toEqual(['Upgrade'])
      expect(valuesOf(lines, 'content-length')).toEqual([])
    })

    test('is 500 where it cannot be sent [B2]', async () => {
      const w1 = await startTunnelBackend('w1')
      const edit: Edit = ({ headers }) => {
        if (headers['sec-websocket-key'] !== undefined) headers['x-a'] = 'b\r\nX-Evil: 1'
      }
      const gateway = await start([w1], { around: applicationThat(edit) })
      const client = await raw(gateway.port)
      const { statusLine } = await client.responded()
      expect(statusLine).toContain(' 500 ')
      expect(client.received).not.toContain('Evil')
      expect(w1.handshakes).toEqual([])
    })
  })
}
