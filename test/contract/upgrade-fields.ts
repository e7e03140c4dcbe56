import { describe, expect, test } from 'vitest'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { acceptWith, webSocketServer } from '../support/upgrade-scripts.ts'
import type { Start } from './start.ts'

/** The fields that pass with a WebSocket handshake, and with its response. */
export function upgradeFields(start: Start): void {
  describe('a WebSocket handshake as a message', () => {
    const { web, raw } = upgradeClients()

    test('reaches the backend without our cookie, and with our word on who the client is [T-22]', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      const browser = await gateway.browserOn(w1)
      const lies = [
        'X-Forwarded-For: 6.6.6.6',
        'X-Forwarded-Proto: https',
        'X-Real-IP: 6.6.6.6',
        'Forwarded: for=x',
      ]
      await raw(gateway.port, handshakeText(`Cookie: theme=dark; ${browser.cookieHeader}; lang=de`, ...lies))
      const { lines } = await w1.handshake()
      expect(valuesOf(lines, 'cookie')).toEqual(['theme=dark; lang=de'])
      expect(valuesOf(lines, 'x-forwarded-for')).toEqual(['127.0.0.1'])
      expect(valuesOf(lines, 'x-real-ip')).toEqual(['127.0.0.1'])
      expect(valuesOf(lines, 'x-forwarded-proto')).toEqual(['http'])
      expect(valuesOf(lines, 'x-forwarded-host')).toEqual(['a'])
      expect(valuesOf(lines, 'x-forwarded-port')).toEqual([String(gateway.port)])
      expect(valuesOf(lines, 'forwarded')).toEqual([])
      expect(valuesOf(lines, 'host')).toEqual(['a'])
    })

    test('reaches the backend as it is: who asks, from where, for what [T-70]', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      const asked = [
        'Origin: https://shop.example:8443',
        'Authorization: Bearer a.b.c',
        'Sec-WebSocket-Protocol: graphql-transport-ws, soap',
        'Sec-WebSocket-Protocol: wamp',
        'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-custom; a="b, c"',
        'X-Name: \xe9\xc3\xbc',
      ]
      const text = handshakeText(...asked).replace('/chat', '//chat/%2e%2E/a;b?x=%20&x=1&url=http://a')
      await raw(gateway.port, text)
      const { lines, url } = await w1.handshake()
      expect(url).toBe('//chat/%2e%2E/a;b?x=%20&x=1&url=http://a')
      const seen = lines.map(([name, value]) => `${name}: ${value}`)
      expect(seen).toEqual(expect.arrayContaining(asked))
      expect(joinedValue(lines, 'sec-websocket-protocol')).toBe('graphql-transport-ws, soap, wamp')
      expect(valuesOf(lines, 'sec-websocket-key')).toEqual(['dGhlIHNhbXBsZSBub25jZQ=='])
      expect(valuesOf(lines, 'sec-websocket-version')).toEqual(['13'])
    })

    test('is answered as the backend answers it', async () => {
      const extra = [
        'Sec-WebSocket-Protocol: soap',
        'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover',
        'X-Name: \xe9 \xc3\xbc',
        'X-Line: one',
        'X-Line: two',
      ]
      const gateway = await start([await startTunnelBackend('w1', acceptWith({ extra }))])
      const client = await raw(gateway.port)
      const { statusLine, lines } = await client.responded()
      expect(statusLine).toBe('HTTP/1.1 101 Switching Protocols')
      expect(valuesOf(lines, 'connection')).toEqual(['Upgrade'])
      expect(valuesOf(lines, 'upgrade')).toEqual(['websocket'])
      expect(valuesOf(lines, 'sec-websocket-accept')).toEqual(['s3pPLMBiTxaQ9kYGzzhZRbK+xOo='])
      expect(valuesOf(lines, 'sec-websocket-protocol')).toEqual(['soap'])
      expect(valuesOf(lines, 'sec-websocket-extensions')).toEqual([extra[1]?.split(': ')[1]])
      expect(valuesOf(lines, 'x-name')).toEqual(['\xe9 \xc3\xbc'])
      expect(valuesOf(lines, 'x-line')).toEqual(['one', 'two'])
      expect(
        lines.filter(([name]) => /^(content-length|transfer-encoding|date|keep-alive)$/i.test(name)),
      ).toEqual([])
    })

    test('agrees on one of several sub-protocols, and on compression, with the backend', async () => {
      const gateway = await start([await startTunnelBackend('w1', webSocketServer())])
      const { socket, ask } = await web(gateway.port, { protocols: ['one', 'two', 'three'] })
      expect(socket.protocol).toBe('three')
      expect(socket.extensions).toBe('permessage-deflate')
      expect((await ask('x'.repeat(10_000))).toString()).toBe('x'.repeat(10_000))
    })

    test('leaves behind what belongs to one connection [T-34]', async () => {
      const w1 = await startTunnelBackend(
        'w1',
        acceptWith({ extra: ['Keep-Alive: timeout=5', 'Trailer: X-T'] }),
      )
      const gateway = await start([w1])
      const text = handshakeText(
        'Keep-Alive: 300',
        'TE: trailers',
        'Proxy-Authorization: Basic eA==',
        'X-Private: 1',
      )
      const client = await raw(
        gateway.port,
        text
          .replace('Connection: Upgrade', 'connection: keep-alive, X-Private ,\tUPGRADE')
          .replace('websocket', 'WebSocket'),
      )
      const { statusLine, lines: answer } = await client.responded()
      expect(statusLine).toContain(' 101 ')
      expect(answer.map(([name]) => name.toLowerCase())).not.toEqual(expect.arrayContaining(['keep-alive']))
      expect(answer.map(([name]) => name.toLowerCase())).not.toEqual(expect.arrayContaining(['trailer']))
      const { lines } = await w1.handshake()
      expect(valuesOf(lines, 'connection')).toEqual(['Upgrade'])
      expect(valuesOf(lines, 'upgrade')).toEqual(['websocket'])
      const left = new Set(['keep-alive', 'te', 'proxy-authorization', 'x-private'])
      expect(lines.filter(([name]) => left.has(name.toLowerCase()))).toEqual([])
    })
  })
}
