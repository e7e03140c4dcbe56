import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { parseAnswers } from '../support/raw-client.ts'
import { echo, hang } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'
import type { Start } from './start.ts'

const H2C = handshakeText('HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA')
  .replace('websocket', 'h2c')
  .replace('Connection: Upgrade', 'Connection: Upgrade, HTTP2-Settings')

/** Requests for another protocol that are no WebSocket handshake, or not quite. */
export function upgradeRequests(start: Start): void {
  describe('a request for another protocol', () => {
    const { raw } = upgradeClients()

    test.each([
      ['h2c', H2C],
      ['several protocols', handshakeText().replace('websocket', 'websocket, h2c')],
      ['several protocols, in lines', handshakeText('Upgrade: h2c')],
      ['a protocol with a version', handshakeText().replace('websocket', 'websocket/13')],
      ['no protocol', handshakeText().replace('websocket', '')],
      ['a WebSocket by HTTP/1.0', handshakeText().replace('HTTP/1.1', 'HTTP/1.0')],
      ['a WebSocket by POST', handshakeText('Content-Length: 0').replace('GET', 'POST')],
      ['a WebSocket, without Connection', handshakeText().replace('Connection: Upgrade\r\n', '')],
    ])('%s: is served as if it had not asked [T-36]', async (_what, text) => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      const client = await raw(gateway.port, text)
      await client.until(received => parseAnswers(received).length > 0)
      const [answer] = parseAnswers(client.received)
      expect(answer?.status).toBe(200)
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ id: 'w1', url: '/chat', bytes: 0 })
      expect(valuesOf(answer?.lines ?? [], 'set-cookie')).toHaveLength(1)
      expect(w1.handshakes).toEqual([])
      const { lines } = w1.last
      expect([valuesOf(lines, 'upgrade'), valuesOf(lines, 'http2-settings')]).toEqual([[], []])
      expect(valuesOf(lines, 'connection').join()).not.toMatch(/upgrade|http2-settings/i)
    })

    test('bytes that follow one are no request [T-36]', async () => {
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
      const { promise: isSent, resolve: answer } = Promise.withResolvers<void>()
      const w1 = await startBackend('w1', async exchange => {
        await isSent
        await echo(exchange)
      })
      const gateway = await start([w1])
      const client = await raw(gateway.port, H2C)
      await w1.arrival()
      client.socket.write(smuggled, () => answer())
      await client.until(() => false)
      expect([client.closed, parseAnswers(client.received).map(({ status }) => status)]).toEqual([
        true,
        [200],
      ])
      // Bytes that arrive together with it could be its body.
      const other = await raw(gateway.port, `${H2C}${smuggled}`)
      await other.until(() => false)
      expect([other.closed, parseAnswers(other.received).map(({ status }) => status)]).toEqual([true, [400]])
      expect(w1.seen.map(({ url }) => url)).toEqual(['/chat'])
    })

    const BODIES = [
      'Content-Length: 5\r\n\r\nhello',
      'Content-Length: 5\r\n\r\n',
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ]
    test.each([
      ...BODIES.map(body => ['GET, a WebSocket', handshakeText(body)]),
      ...BODIES.map(body => ['GET, h2c', H2C.replace('\r\n\r\n', `\r\n${body}`)]),
      ...BODIES.map(body => ['POST, a WebSocket', handshakeText(body).replace('GET', 'POST')]),
      ['two lengths', handshakeText('Content-Length: 0', 'Content-Length: 0')],
      ['no Host', handshakeText().replace('Host: a\r\n', '')],
      ['two Hosts', handshakeText('Host: b')],
      ['a bad Host', handshakeText().replace('Host: a', 'Host: a b/c@d')],
      ['a bad target', handshakeText().replace('/chat', '/chat\\..\\x')],
      ['a fragment', handshakeText().replace('/chat', '/chat#x')],
      ['a target of another host', handshakeText().replace('/chat', 'http://b/chat')],
      ['no target', handshakeText().replace('/chat', 'chat')],
    ])(
      '%s, and a message that is not to be trusted, is 400 and the end: %j [T-30, T-36]',
      async (_what, text) => {
        const w1 = await startTunnelBackend('w1')
        const gateway = await start([w1])
        const client = await raw(gateway.port, text)
        await client.until(() => false)
        expect(client.closed).toBe(true)
        const answers = parseAnswers(client.received)
        expect(answers.map(({ status }) => status)).toEqual([400])
        expect([w1.handshakes.length, w1.seen.length]).toEqual([0, 0])
      },
    )

    test('a handshake that lacks its key is the backend’s to refuse', async () => {
      const w1 = await startTunnelBackend('w1', webSocketServer())
      const gateway = await start([w1])
      const client = await raw(gateway.port, handshakeText().replace(/Sec-WebSocket-Key.*\r\n/, ''))
      await client.until(() => false)
      const [answer] = parseAnswers(client.received)
      expect([answer?.status, answer?.body]).toEqual([400, 'Missing or invalid Sec-WebSocket-Key header'])
      expect(w1.handshakes).toHaveLength(1)
    })

    test.each([
      ['a WebSocket', handshakeText()],
      ['h2c', H2C],
    ])('%s, behind a request that is not answered yet: the connection ends [T-35]', async (_what, text) => {
      const w1 = await startTunnelBackend('w1')
      w1.script = hang
      const gateway = await start([w1])
      const client = await raw(gateway.port, `GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${text}`)
      await client.until(() => false)
      // Nothing that could be taken for the answer to the first.
      expect([client.closed, client.received]).toEqual([true, ''])
      expect(w1.handshakes).toEqual([])
    })

    test('one that is served as an ordinary request ends as its client leaves', async () => {
      const w1 = await startBackend('w1', hang)
      const gateway = await start([w1])
      for (const [index, how] of (['destroy', 'resetAndDestroy'] as const).entries()) {
        const client = await raw(gateway.port, H2C)
        const seen = await w1.arrival(index + 1)
        client.socket[how]()
        await seen.over
        expect([seen.aborted, gateway.view(w1).failures]).toEqual([true, 0])
      }
    })
  })
}
