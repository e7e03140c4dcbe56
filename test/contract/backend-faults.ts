import { Agent } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { openRaw } from '../support/raw-client.ts'
import { echo, rawAnswer, resetMidBody } from '../support/scripts.ts'
import { expectOwnAnswer } from './own-answers.ts'
import type { RunningGateway, Start } from './start.ts'

const END = 'Content-Length: 2\r\n\r\nok'

/** Backends that are broken, or whose port belongs to another server by now. */
export function backendFaults(start: Start): void {
  async function pair(answer: string | Buffer): Promise<{ gateway: RunningGateway; w1: Backend }> {
    const w1 = await startBackend('w1', rawAnswer(answer))
    return { gateway: await start([w1]), w1 }
  }

  describe('faults of a backend', () => {
    test.each([
      ['nothing', ''],
      ['junk', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
      ['a body without a head', '<html>hello</html>'],
      ['a head that is cut', 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'],
      ['another protocol', 'HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
      ['no status', 'HTTP/1.1\r\n\r\n'],
      ['a status that is none', `HTTP/1.1 OK 200\r\n${END}`],
      ['status 099', `HTTP/1.1 099 Huh\r\n${END}`],
      ['status 000', `HTTP/1.1 000 Huh\r\n${END}`],
      ['status 999', `HTTP/1.1 999 Huh\r\n${END}`],
      ['status 1000', `HTTP/1.1 1000 Huh\r\n${END}`],
      [
        'an unrequested switch of protocols',
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n',
      ],
      ['a NUL in a field', `HTTP/1.1 200 OK\r\nX-A: a\u0000b\r\n${END}`],
      ['a field without a name', `HTTP/1.1 200 OK\r\n: x\r\n${END}`],
      ['a field with a blank in its name', `HTTP/1.1 200 OK\r\nX A: x\r\n${END}`],
      ['a line that is no field', `HTTP/1.1 200 OK\r\nnonsense\r\n${END}`],
      ['two lengths', `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n${END}`],
      ['both lengths', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${END}`],
      ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
      ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok'],
      ['a head of a hundred kilobytes', `HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(100_000)}\r\n${END}`],
      ['ten thousand fields', `HTTP/1.1 200 OK\r\n${'X-A: x\r\n'.repeat(10_000)}${END}`],
    ])('%s is 502 [T-35, T-38, D-16]', async (_what, answer) => {
      const { gateway, w1 } = await pair(answer)
      expectOwnAnswer(await gateway.ask(), 502)
      expect(gateway.view(w1).failures).toBe(1)
      expectOwnAnswer(await gateway.ask({ method: 'POST', body: 'x' }), 502)
    })

    test.each([
      [
        'a trailer that is announced for a body with a length',
        'D-02',
        `HTTP/1.1 200 OK\r\nTrailer: X-A\r\n${END}`,
      ],
      ['a control byte in the reason', 'D-03', `HTTP/1.1 200 O\u0001K\r\n${END}`],
      ['bytes beyond ASCII in the reason', 'D-03', `HTTP/1.1 200 caf\u00e9\r\n${END}`],
      ['no reason', 'D-03', `HTTP/1.1 200\r\n${END}`],
      ['a field called __proto__', 'T-13', `HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\n${END}`],
      ['bytes beyond ASCII in a field', 'T-35', `HTTP/1.1 200 OK\r\nX-A: caf\u00e9\r\n${END}`],
      ['a control byte in a field', 'T-35', `HTTP/1.1 200 OK\r\nX-A: a\u0001b\r\n${END}`],
      ['an old version', 'T-38', `HTTP/1.0 200 OK\r\n${END}`],
      ['more than it promised', 'T-37', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more'],
      [
        'the lengths of another message',
        'T-38',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-MD5: x\r\n\r\nok',
      ],
    ])('%s is passed on soundly or is 502 [T-59, %s]', async (_what, _id, answer) => {
      const { gateway } = await pair(answer)
      const { answers } = await gateway.raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      expect(answers).toHaveLength(1)
      const [{ status, body, reason, lines } = { status: 0, body: '', reason: '', lines: [] }] = answers
      expect(reason).toMatch(/^[\x20-\x7e]*$/)
      if (status === 502) return
      expect([status, body]).toEqual([200, 'ok'])
      expect(lines.map(([name]) => name.toLowerCase())).not.toContain('trailer')
      // eslint-disable-next-line no-control-regex
      expect(lines.flat().join('')).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f]/)
    })

    test.each(['content-length', 'chunked'] as const)(
      'a client whose answer (%s) dies in the middle can tell: it is cut, never ended [T-39]',
      async framing => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2])
        const browser = await gateway.browserOn(w1)
        w1.script = resetMidBody(framing)
        const before = w2.seen.length
        const answer = await browser.ask()
        expect([answer.status, answer.complete]).toEqual([200, false])
        expect('0123456789').toContain(answer.text)
        expect(gateway.view(w1).failures).toBe(1)
        expect(w2.seen, 'no backend is tried again').toHaveLength(before)
      },
    )

    test.each([
      ['ends before its length', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789'],
      [
        'ends before its last chunk',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n',
      ],
      [
        'has a chunk without a size',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\nzz\r\n',
      ],
    ])('a client whose answer %s can tell [T-39]', async (_how, bytes) => {
      const { gateway, w1 } = await pair(bytes)
      const client = await openRaw(gateway.port)
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until(() => false)
      expect(client.closed).toBe(true)
      expect(client.received).not.toMatch(/\r\n0\r\n/)
      expect(client.received).not.toMatch(/content-length: 10\r\n/i)
      expect(gateway.view(w1).failures).toBe(1)
    })

    test.each([
      ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
      ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
      ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'],
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n'],
    ])('bytes after the response to %s (%j) are no response [T-37]', async (method, answer) => {
      const poison = `HTTP/1.1 200 OK\r\nX-Poison: yes\r\n${END}`
      const w1 = await startBackend('w1', rawAnswer(`${answer}${poison}`, 'stay'))
      const gateway = await start([w1])
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const names = new Set<string>()
      for (let visit = 0; visit < 5; visit += 1) {
        const { lines } = await gateway.ask({ agent, method })
        for (const [name] of lines) names.add(name.toLowerCase())
      }
      expect(names).not.toContain('x-poison')
      w1.script = echo
      for (let visit = 0; visit < 5; visit += 1) {
        const next = await gateway.ask({ agent, path: `/${visit}` })
        expect(next.echo.url).toBe(`/${visit}`)
      }
    })

    test('after any of it the next client is served as if nothing had been [T-59]', async () => {
      const w1 = await startBackend('w1', rawAnswer('junk'))
      const gateway = await start([w1])
      for (let round = 0; round < 3; round += 1) {
        w1.script = rawAnswer('junk')
        expect((await gateway.ask()).status).toBe(502)
        w1.script = echo
        expect((await gateway.ask()).status).toBe(200)
      }
    })
  })
}
