import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import type { Script } from '../support/exchange.ts'
import { valuesOf } from '../support/header-lines.ts'
import { parseAnswers, type RawAnswer } from '../support/raw-client.ts'
import { bare, echoWith, rawAnswer, resetMidBody } from '../support/scripts.ts'
import { handshakeText, type RawTunnel, upgradeClients } from '../support/upgrade-clients.ts'
import type { Start } from './start.ts'

const COOKIES = ['login=; Max-Age=0', 'csrf=1']

/** WebSocket handshakes that a backend does not accept: the answer is the backend's, and the connection ends with it. */
export function refusedUpgrades(start: Start): void {
  describe('a WebSocket handshake that is refused', () => {
    const { raw } = upgradeClients()

    test.each([
      [401, { 'WWW-Authenticate': ['Basic realm="a"', 'Bearer'] }],
      [403, {}],
      [404, {}],
      [426, { 'Sec-WebSocket-Version': '13, 8', Connection: 'Upgrade', Upgrade: 'websocket' }],
      [503, { 'Retry-After': '7' }],
      [200, {}],
    ])(
      'with %i: status, fields and body are the backend’s, our cookie is beside its own [LB208]',
      async (status, fields) => {
        const w1 = await startBackend('w1', echoWith(status, { ...fields, 'Set-Cookie': COOKIES }))
        const gateway = await start([w1])
        const answer = await refused(await raw(gateway.port))
        expect(answer.status).toBe(status)
        expect(JSON.parse(answer.body)).toMatchObject({ id: 'w1', url: '/chat' })
        expect(valuesOf(answer.lines, 'content-length')).toEqual([String(answer.body.length)])
        const cookies = valuesOf(answer.lines, 'set-cookie')
        expect(cookies).toEqual([...COOKIES, expect.stringMatching(/^SERVERID=/)])
        const { Connection: _own, Upgrade: _ended, ...passed } = fields as Record<string, string | string[]>
        for (const [name, value] of Object.entries(passed))
          expect(valuesOf(answer.lines, name)).toEqual([value].flat())
        expect(valuesOf(answer.lines, 'connection')).toEqual(['close'])
        expect(w1.seen).toHaveLength(1)
      },
    )

    test.each<[string, Script, string]>([
      ['in chunks', ({ response }) => void (response.write('one '), response.end('two')), 'one two'],
      [
        'up to the end of the connection',
        rawAnswer('HTTP/1.1 403 Nope\r\nConnection: close\r\n\r\nthe end'),
        'the end',
      ],
      ['of an old server', rawAnswer('HTTP/1.0 403 Nope\r\n\r\nold'), 'old'],
      ['of no length', bare(403, { 'Content-Length': 0 }), ''],
      ['of 204', bare(204), ''],
      [
        'of 3 MB',
        ({ response }) => void response.writeHead(403).end('x'.repeat(3_000_000)),
        'x'.repeat(3_000_000),
      ],
    ])('the body is whole: %s', async (_how, script, body) => {
      const gateway = await start([await startBackend('w1', script)])
      const answer = await refused(await raw(gateway.port))
      expect(answer.body === body, `${answer.body.slice(0, 50)} …`).toBe(true)
      expect(valuesOf(answer.lines, 'set-cookie')).toHaveLength(1)
    })

    test('a reason phrase is not passed on: it could say anything', async () => {
      const script = rawAnswer('HTTP/1.1 403 Password is 1234\r\nContent-Length: 0\r\n\r\n')
      const gateway = await start([await startBackend('w1', script)])
      expect((await refused(await raw(gateway.port))).reason).toBe('Forbidden')
    })

    test('no second cookie, where the session is already', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const browser = await gateway.browserOn(w1)
      w1.script = echoWith(401)
      const answer = await refused(await raw(gateway.port, handshakeText(`Cookie: ${browser.cookieHeader}`)))
      expect([answer.status, valuesOf(answer.lines, 'set-cookie')]).toEqual([401, []])
    })

    test.each(['content-length', 'chunked'] as const)(
      'a body that is cut is seen to be cut: %s',
      async framing => {
        const w1 = await startBackend('w1', resetMidBody(framing))
        const gateway = await start([w1])
        const client = await raw(gateway.port)
        await client.until(() => false)
        expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
        expect(client.received).toContain('0123456789')
        expect(parseAnswers(client.received, false, false)).toEqual([])
        expect(client.closed).toBe(true)
        expect(gateway.view(w1).failures).toBe(1)
      },
    )

    test('bytes that follow it are no request, neither here nor there [T-36]', async () => {
      const w1 = await startBackend('w1', echoWith(401))
      const gateway = await start([w1])
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
      const client = await raw(gateway.port, `${handshakeText()}${smuggled}`)
      client.write(smuggled)
      expect((await refused(client)).status).toBe(401)
      expect(parseAnswers(client.received)).toHaveLength(1)
      w1.script = echoWith(200)
      await gateway.ask({ path: '/next' })
      expect(w1.seen.map(({ url }) => url)).toEqual(['/chat', '/next'])
    })

    test.each(['destroy', 'resetAndDestroy'] as const)(
      'a client that leaves in the middle (%s) lets the backend off',
      async how => {
        const w1 = await startBackend('w1', ({ response }) => void response.writeHead(403).write('and so on'))
        const gateway = await start([w1])
        const client = await raw(gateway.port)
        await client.until(received => received.includes('and so on'))
        client.socket[how]()
        await w1.last.over
        expect([w1.last.aborted, gateway.view(w1).failures]).toEqual([true, 0])
      },
    )

    test('a body that stops ends after the idle time', async () => {
      const w1 = await startBackend('w1', ({ response }) => void response.writeHead(403).write('and so on'))
      const gateway = await start([w1], { timeouts: { idle: 300 } })
      const client = await raw(gateway.port)
      await client.until(() => false)
      expect(client.closed).toBe(true)
      expect(client.received).toContain('and so on')
      expect(client.received).not.toContain('\r\n0\r\n')
    })
  })
}

/** The only answer, and the end of the connection behind it. */
async function refused(client: RawTunnel): Promise<RawAnswer> {
  await client.until(() => false)
  expect(client.closed, 'the connection ends').toBe(true)
  const [answer] = parseAnswers(client.received, false, true)
  if (answer === undefined) throw new Error(`no answer in ${client.received.slice(0, 200)}`)
  return answer
}
