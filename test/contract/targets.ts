import { METHODS } from 'node:http'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { echo } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** The method and the target of a request. */
export function targets(start: Start): void {
  describe('targets and methods', () => {
    test.each([
      '/',
      '/?',
      '//',
      '//evil.test/x',
      '///evil.test',
      '/a//b/./c/../d',
      '/..%2f..%2fetc%2fpasswd',
      '/%2e%2e/secret',
      '/%00%0d%0a',
      '/@evil.test/',
      '/:80/',
      '/http://evil.test/',
      '/a;b=c?d=e&d=f;g',
      '/a?b?c=/d',
      '/a|b{c}^`\'"<>',
      '/A%41%7e~',
      '/*',
      `/${'a'.repeat(8000)}`,
    ])('%s reaches the backend byte for byte [T-15, T-32, T-33, D-09, D-21]', async target => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect(answers[0]?.status).toBe(200)
      expect(w1.last.url).toBe(target)
    })

    test.each([
      ['/app', '/x?a=/&b=?', '/app/x?a=/&b=?'],
      ['/app/', '/x', '/app/x'],
      ['/app', '/', '/app/'],
      ['/app/', '/?a', '/app/?a'],
      ['/a%20b/c', '/..%2f', '/a%20b/c/..%2f'],
    ])('a backend at %s gets its base path before %s', async (base, path, target) => {
      const w1 = await startBackend('w1', echo, { base })
      const gateway = await start([w1])
      await gateway.raw(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect(w1.last.url).toBe(target)
    })

    test('a request that moves has the base path of its new backend', async () => {
      const [w1, w2] = [
        await startBackend('w1', echo, { base: '/one' }),
        await startBackend('w2', echo, { base: '/two' }),
      ]
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      await w1.refuse()
      expect((await browser.ask({ path: '/x' })).echo).toMatchObject({ id: 'w2', url: '/two/x' })
    })

    test.each(['/%zz', '/%', '/a b', '/caf\u00c3\u00a9', 'http://'])(
      '%j reaches the backend byte for byte or is refused [T-15, T-32, D-21]',
      async target => {
        const w1 = await startBackend('w1')
        const gateway = await start([w1])
        const { answers } = await gateway.raw(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
        const outcome = [answers[0]?.status, w1.seen.map(({ url }) => url)]
        expect([
          [200, [target]],
          [400, []],
          // A router that cannot make a path of it.
          [404, []],
        ]).toContainEqual(outcome)
      },
    )

    test.each([
      ['/a\tb'],
      ['/\u0001'],
      ['/\u007f'],
      ['/a#b'],
      ['/#'],
      ['/\\evil.test'],
      ['\\evil.test'],
      ['\\\\evil.test\\x'],
      ['evil.test'],
      ['evil.test:443'],
      ['?a=b'],
      ['*'],
      ['http:/a'],
      ['javascript:x'],
    ])('%j is refused: servers read it in different ways [T-32, D-09]', async target => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect([answers.map(({ status }) => status), w1.seen]).toEqual([[400], []])
    })

    test('the asterisk of OPTIONS reaches the backend as it is, or is refused', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n')
      const outcome = [answers[0]?.status, w1.seen.map(({ url }) => url)]
      expect([
        [200, ['*']],
        [400, []],
        [404, []],
        [501, []],
      ]).toContainEqual(outcome)
    })

    test('a target that is longer than a head may be is refused', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect([414, 431]).toContain(answers[0]?.status)
      expect(w1.seen).toEqual([])
    })

    test('every method that the server can read reaches the backend', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      for (const method of METHODS.filter(name => name !== 'CONNECT')) {
        // QUERY is nothing without a type (RFC 10008 §2).
        const answer = await gateway.ask({
          method,
          path: `/${method}`,
          headers: { 'Content-Type': 'text/plain' },
        })
        expect([method, answer.status]).toEqual([method, 200])
        expect([w1.last.method, w1.last.url]).toEqual([method, `/${method}`])
      }
    })

    test('a method that it cannot read is refused', async () => {
      const gateway = await start([await startBackend('w1')])
      const { answers } = await gateway.raw('BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n')
      expect([400, 405, 501]).toContain(answers[0]?.status)
    })

    test('no client gets a tunnel [T-32]', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const authority = `127.0.0.1:${w1.port}`
      const { text, closed } = await gateway.raw(
        `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
      )
      // A middleware never sees a CONNECT: without a listener Node closes the connection itself.
      expect(text).toMatch(/^(HTTP\/1\.1 501 |$)/)
      expect(closed).toBe(true)
      expect(w1.connections).toBe(0)
    })
  })
}
