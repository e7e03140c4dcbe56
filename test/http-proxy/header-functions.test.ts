import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'
import { MOUNTED, type MountOptions } from '../support/mounted-app.ts'
import { echoWith } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { acceptWith, answerUpgrade } from '../support/upgrade-scripts.ts'

const { raw } = upgradeClients()

const FAILING: readonly [string, () => never][] = [
  [
    'throws',
    () => {
      throw new Error('mine')
    },
  ],
  ['returns nothing', () => undefined as never],
  ['returns a line that cannot be sent', () => ({ 'x-a': 'a\r\nb: c' }) as never],
  ['returns an object for a field', () => ({ 'x-a': {} }) as never],
  ['returns null for a field', () => ({ 'x-a': null }) as never],
  ['returns a symbol for a field', () => ({ 'x-a': Symbol('a') }) as never],
  ['returns a list in a list', () => ({ 'x-a': [['a']] }) as never],
  ['returns a name that is none', () => ({ 'x a': 'a' }) as never],
]

describe.each(MOUNTED)('%s', (_, start) => {
  describe('rewriteRequestHeaders', () => {
    test('returns the fields for the backend, in requests and in handshakes', async () => {
      const w1 = await startTunnelBackend('w1')
      const { port } = await start([w1], {
        headers: { 'X-Gateway': 'shop', 'X-Both': 'headers' },
        requestHeaders: { set: { 'X-Both': 'requestHeaders' } },
        rewriteRequestHeaders: ({ method }, headers) => {
          delete headers['x-user']
          return { ...headers, 'x-method': method, 'x-gateway': 'no', 'content-length': '9' }
        },
      })
      await ask(port, { headers: { 'X-User': 'mallory', 'X-A': '1' } })
      await raw(port, handshakeText('X-User: mallory', 'X-A: 1'))
      for (const { lines } of [w1.last, await w1.handshake()]) {
        const names = ['x-user', 'x-a', 'x-method', 'x-gateway', 'x-both', 'content-length']
        const values = names.map(name => valuesOf(lines, name))
        expect(values).toEqual([[], ['1'], ['GET'], ['shop'], ['requestHeaders'], []])
      }
    })

    test.each(FAILING)('that %s is 500, and nothing is in flight', async (_what, rewriteRequestHeaders) => {
      const w1 = await startTunnelBackend('w1')
      const { port, affinity, errors } = await start([w1], { rewriteRequestHeaders })
      expect((await ask(port)).status).toBe(500)
      expect(errors).toHaveLength(1)
      const tunnel = await raw(port)
      expect((await tunnel.responded()).statusLine).toMatch(/^HTTP\/1\.1 500/)
      expect([w1.seen, w1.handshakes, affinity.pool.inFlight]).toEqual([[], [], 0])
    })
  })

  describe('rewriteHeaders and responseHeaders', () => {
    const options: MountOptions = {
      rewriteHeaders: (headers, { url }) => ({
        ...headers,
        'content-length': '1',
        'Content-Length': '2',
        'transfer-encoding': 'chunked',
        'x-url': url,
        'x-number': 7 as never,
        'x-list': ['a', 'b'],
        'x-gone': undefined,
      }),
      responseHeaders: { set: { 'X-Gateway': 'shop' }, remove: ['X-Secret'] },
    }

    test('make the fields for the client, and never the framing', async () => {
      const w1 = await startBackend('w1', echoWith(200, { 'X-Secret': '1', 'X-Gone': '1' }))
      const { port } = await start([w1], options)
      const answer = await ask(port, { path: '/x' })
      expect(answer.echo).toMatchObject({ id: 'w1' })
      const names = ['x-url', 'x-number', 'x-gateway', 'x-secret', 'x-gone', 'transfer-encoding']
      expect(names.map(name => answer.header(name))).toEqual([
        '/x',
        '7',
        'shop',
        undefined,
        undefined,
        undefined,
      ])
      expect(valuesOf(answer.lines, 'x-list').join(', ')).toBe('a, b')
      expect(answer.cookies('SERVERID')).toHaveLength(1)
    })

    test.each([
      ['accepts', acceptWith({ extra: ['X-Secret: 1'] }), 101],
      ['refuses', answerUpgrade('HTTP/1.1 403 No\r\nX-Secret: 1\r\nContent-Length: 0\r\n\r\n'), 403],
    ] as const)('make those of a handshake that a backend %s', async (_what, script, status) => {
      const { port } = await start([await startTunnelBackend('w1', script)], options)
      const { statusLine, lines } = await (await raw(port)).responded()
      expect(statusLine).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      const values = ['x-url', 'x-gateway', 'x-secret'].map(name => valuesOf(lines, name))
      expect(values).toEqual([['/chat'], ['shop'], []])
    })

    test.each(FAILING)('that %s is 500, and nothing is in flight', async (_what, rewriteHeaders) => {
      const w1 = await startTunnelBackend('w1')
      const { port, affinity, errors } = await start([w1], { rewriteHeaders })
      const answer = await ask(port)
      expect([answer.status, answer.complete, errors.length]).toEqual([500, true, 1])
      const tunnel = await raw(port)
      expect((await tunnel.responded()).statusLine).toMatch(/^HTTP\/1\.1 500/)
      await (
        await w1.handshake()
      ).over
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
      expect(affinity.pool.find('w1')?.failures).toBe(0)
    })
  })
})
