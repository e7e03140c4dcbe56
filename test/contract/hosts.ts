import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import type { Start } from './start.ts'

/** The Host that a client names and a backend sees. */
export function hosts(start: Start): void {
  describe('Host', () => {
    test.each([
      ['none', 'X-A: 1'],
      ['two', 'Host: a\r\nHost: b'],
      ['the same twice', 'Host: a\r\nhost: a'],
      ['an empty one', 'Host: '],
      ['one with a blank', 'Host: a b'],
      ['one with a user', 'Host: a@evil.test'],
      ['one with a path', 'Host: a/evil'],
      ['a list', 'Host: a, b'],
      ['one with a backslash', 'Host: a\\evil.test'],
      ['one with a question', 'Host: a?x'],
      ['one with a port that is none', 'Host: a:port'],
    ])('%s is refused [T-31, D-17]', async (_what, fields) => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers, closed } = await gateway.raw(`GET / HTTP/1.1\r\n${fields}\r\n\r\n`)
      expect(answers.map(({ status }) => status)).toEqual([400])
      expect(closed).toBe(true)
      expect(w1.seen).toEqual([])
    })

    test.each([
      'shop.example',
      'SHOP.Example:8080',
      '[2001:db8::1]:80',
      '192.0.2.1',
      'xn--caf-dma.example.',
      'a_b.test',
    ])('%s is passed as it is', async host => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect(answers[0]?.status).toBe(200)
      expect(valuesOf(w1.last.lines, 'host')).toEqual([host])
      expect(joinedValue(w1.last.lines, 'x-forwarded-host')).toBe(host)
    })

    test("it is the backend's own where that is wanted", async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1], { host: 'backend' })
      await gateway.ask({ headers: { Host: 'shop.example' } })
      expect(valuesOf(w1.last.lines, 'host')).toEqual([`127.0.0.1:${w1.port}`])
      expect(joinedValue(w1.last.lines, 'x-forwarded-host')).toBe('shop.example')
    })

    test('an old client need not name one', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw('GET /old HTTP/1.0\r\n\r\n')
      expect(answers[0]?.status).toBe(200)
      expect(valuesOf(w1.last.lines, 'host')).toEqual([`127.0.0.1:${w1.port}`])
    })

    test('a proxy may name it in the target too, if it is the same [T-31, D-09]', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(
        'GET http://Shop.example/a?b=c HTTP/1.1\r\nHost: shop.example\r\n\r\n',
      )
      expect(answers[0]?.status).toBe(200)
      expect([w1.last.url, joinedValue(w1.last.lines, 'host')]).toEqual(['/a?b=c', 'shop.example'])
    })

    test.each([
      'http://evil.test/',
      'http://shop.example:81/',
      'http://shop.example@evil.test/',
      'ftp://shop.example/',
    ])('a target that names another is refused: %s [T-31, T-32, D-09]', async target => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(`GET ${target} HTTP/1.1\r\nHost: shop.example\r\n\r\n`)
      expect(answers[0]?.status).toBe(400)
      expect(w1.seen).toEqual([])
    })
  })
}
