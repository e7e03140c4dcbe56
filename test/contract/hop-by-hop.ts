import { Agent } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { echoWith, rawAnswer } from '../support/scripts.ts'
import type { RunningGateway, Start } from './start.ts'

/** Header fields that belong to one connection end with it, in both directions. */
export function hopByHop(start: Start): void {
  async function pair(): Promise<{ gateway: RunningGateway; w1: Backend }> {
    const w1 = await startBackend('w1')
    return { gateway: await start([w1]), w1 }
  }

  describe('hop-by-hop fields', () => {
    test.each([
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['Proxy-Authorization', 'Basic eDp5'],
      ['Proxy', 'http://evil.test'],
      ['TE', 'trailers, deflate;q=0.5'],
      ['Trailer', 'X-Checksum'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
      ['Expect', ''],
    ])('%s of a request ends here [T-34, T-36, T-43, D-01, D-04]', async (name, value) => {
      const { gateway, w1 } = await pair()
      for (const method of ['GET', 'POST']) {
        for (const connection of ['keep-alive', `close, ${name}`]) {
          if (name === 'Expect') continue
          const { answers } = await gateway.raw(
            `${method} / HTTP/1.1\r\nHost: a\r\n${name}: ${value}\r\nConnection: ${connection}\r\nContent-Length: 0\r\n\r\n`,
          )
          expect(answers[0]?.status).toBe(200)
          expect(valuesOf(w1.last.lines, name)).toEqual([])
        }
      }
    })

    test('an upgrade to another protocol is declined: the request is served as it is [T-36]', async () => {
      const { gateway, w1 } = await pair()
      const { answers } = await gateway.raw(
        'GET /plain HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
      )
      expect(answers.map(({ status }) => status)).toEqual([200])
      expect(w1.last.url).toBe('/plain')
      expect(joinedValue(w1.last.lines, 'upgrade')).toBeUndefined()
    })

    test('a field that the client nominates ends here [T-34]', async () => {
      const { gateway, w1 } = await pair()
      await gateway.raw(
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine , x-other\r\nX-MINE: 1\r\nX-Other: 2\r\nX-Kept: 3\r\n\r\n',
      )
      expect(valuesOf(w1.last.lines, 'x-mine')).toEqual([])
      expect(valuesOf(w1.last.lines, 'x-other')).toEqual([])
      expect(valuesOf(w1.last.lines, 'x-kept')).toEqual(['3'])
    })

    test('no peer can nominate away fields of the session, the message or the gateway [T-34]', async () => {
      const { gateway, w1 } = await pair()
      const browser = await gateway.browserOn(w1)
      const { answers } = await gateway.raw(
        'POST / HTTP/1.1\r\nHost: shop.example\r\n' +
          'Connection: cookie, host, content-length, authorization, x-forwarded-for, x-forwarded-proto, x-forwarded-host, x-real-ip, forwarded\r\n' +
          `Cookie: a=1; ${browser.cookieHeader}\r\nAuthorization: Bearer t\r\nContent-Length: 5\r\n\r\nhello`,
      )
      expect(answers[0]?.status).toBe(200)
      expect(answers[0]?.lines.some(([name]) => name.toLowerCase() === 'set-cookie')).toBe(false)
      const { lines, bytes } = w1.last
      expect(bytes).toBe(5)
      expect(joinedValue(lines, 'content-length')).toBe('5')
      expect(joinedValue(lines, 'host')).toBe('shop.example')
      expect(joinedValue(lines, 'cookie')).toBe('a=1')
      expect(joinedValue(lines, 'authorization')).toBe('Bearer t')
      expect(joinedValue(lines, 'x-forwarded-for')).toBe('127.0.0.1')
      expect(joinedValue(lines, 'x-forwarded-host')).toBe('shop.example')
      expect(joinedValue(lines, 'x-forwarded-proto')).toBe('http')
    })

    test('those of an answer end here, and so do those that the backend nominates [D-10]', async () => {
      const { gateway, w1 } = await pair()
      w1.script = rawAnswer(
        'HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nKeep-Alive: timeout=99\r\nProxy-Authenticate: Basic\r\n' +
          'Proxy-Connection: close\r\nUpgrade: h2c\r\nX-Mine: 1\r\nX-Kept: 2\r\nContent-Length: 0\r\n\r\n',
      )
      const answer = await gateway.ask()
      const names = answer.lines.map(([name]) => name.toLowerCase())
      for (const name of ['proxy-authenticate', 'proxy-connection', 'upgrade', 'x-mine']) {
        expect(names).not.toContain(name)
      }
      expect(answer.header('keep-alive') ?? '').not.toContain('99')
      expect(answer.header('x-kept')).toBe('2')
    })

    test('a backend cannot nominate away what the client needs', async () => {
      const { gateway, w1 } = await pair()
      w1.script = rawAnswer(
        'HTTP/1.1 200 OK\r\nConnection: set-cookie, cache-control, content-length\r\nSet-Cookie: a=1\r\n' +
          'Cache-Control: no-store\r\nContent-Length: 2\r\n\r\nok',
      )
      const answer = await gateway.ask()
      expect([answer.text, answer.complete]).toEqual(['ok', true])
      expect(answer.cookies('a')).toEqual(['a=1'])
      expect(answer.header('cache-control')).toBe('no-store')
    })

    test('a backend that closes its connection does not close the client’s, nor the other way round', async () => {
      const { gateway, w1 } = await pair()
      w1.script = echoWith(200, { Connection: 'close' })
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const answers = [await gateway.ask({ agent }), await gateway.ask({ agent })]
      expect(answers.map(answer => answer.header('connection'))).toEqual(['keep-alive', 'keep-alive'])
      w1.script = echoWith(200)
      const before = w1.connections
      for (let visit = 0; visit < 5; visit += 1) await gateway.ask({ headers: { Connection: 'close' } })
      expect(w1.connections - before).toBeLessThan(3)
    })

    test('bytes beyond ASCII arrive as they are, both ways', async () => {
      const { gateway, w1 } = await pair()
      const [latin1, utf8] = ['caf\u00e9', 'caf\u00c3\u00a9']
      w1.script = rawAnswer(`HTTP/1.1 200 OK\r\nX-A: ${latin1}\r\nX-B: ${utf8}\r\nContent-Length: 0\r\n\r\n`)
      const { answers } = await gateway.raw(
        `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${latin1}\r\nX-B: ${utf8}\r\n\r\n`,
      )
      for (const lines of [w1.last.lines, answers[0]?.lines ?? []]) {
        expect([joinedValue(lines, 'x-a'), joinedValue(lines, 'x-b')]).toEqual([latin1, utf8])
      }
    })

    test('lines of one name stay lines, in their order', async () => {
      const { gateway, w1 } = await pair()
      w1.script = echoWith(200, {
        'WWW-Authenticate': ['Basic realm="a, b"', 'Bearer'],
        Link: ['</1>', '</2>'],
      })
      const { answers } = await gateway.raw(
        'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\nX-A: 3, 4\r\nAccept: a\r\nAccept: b\r\n\r\n',
      )
      expect(joinedValue(w1.last.lines, 'x-a')).toBe('1, 3, 4')
      expect(joinedValue(w1.last.lines, 'accept')).toBe('a, b')
      expect(joinedValue(answers[0]?.lines ?? [], 'www-authenticate')).toBe('Basic realm="a, b", Bearer')
      expect(joinedValue(answers[0]?.lines ?? [], 'link')).toBe('</1>, </2>')
    })
  })
}
