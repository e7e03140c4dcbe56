import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import type { HeaderLines } from '../support/header-lines.ts'
import { valuesOf } from '../support/header-lines.ts'
import { echoWith, hang, rawAnswer, resetBeforeHead } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** An answer that no backend gave: not to be stored or sniffed, for no session, and without a word about the inside. */
export function expectOwnAnswer(
  answer: { status: number; lines: HeaderLines; text: string },
  status: number,
): void {
  expect(answer.status).toBe(status)
  expect(valuesOf(answer.lines, 'cache-control')).toEqual(['no-store'])
  expect(valuesOf(answer.lines, 'x-content-type-options')).toEqual(['nosniff'])
  expect(valuesOf(answer.lines, 'set-cookie')).toEqual([])
  expectNothingInside(answer.text)
}

/** No address, port, error number or stack, of whatever library. */
function expectNothingInside(text: string): void {
  expect(text).not.toMatch(
    /127\.0\.0\.1|localhost|:\d{4,5}\b|E[A-Z]{4,}|UND_|FST_|HPE_|undici|node:|node_modules|\n\s+at /,
  )
}

/** The gateway's own responses, when there is no backend's response to forward. */
export function ownAnswers(start: Start): void {
  describe('our own answers', () => {
    test('an empty pool is 503, with Retry-After [LB150, T-18, T-44]', async () => {
      const gateway = await start([])
      const answer = await gateway.ask()
      expectOwnAnswer(answer, 503)
      expect(answer.header('retry-after')).toBe('1')
    })

    test('no available backend is 503, and takes no cookie away [LB121, LB150, LB178, T-18]', async () => {
      const gateway = await start(await startBackends('w1', 'w2'))
      const browser = await gateway.browserOn({ id: 'w1' })
      for (const id of ['w1', 'w2']) gateway.pool.setHealthy(id, false)
      const answer = await browser.ask()
      expectOwnAnswer(answer, 503)
      expect(answer.header('retry-after')).toBe('1')
      gateway.pool.setHealthy('w1', true)
      expect(await browser.visit()).toBe('w1')
    })

    test('a backend that cannot be reached is 502 [LB081, T-18, T-44, D-06, D-13]', async () => {
      const [w1] = await startBackends('w1')
      const gateway = await start([w1])
      await w1.refuse()
      for (const asked of [{}, { method: 'POST', body: 'x' }]) {
        const answer = await gateway.ask(asked)
        expectOwnAnswer(answer, 502)
        expect(answer.header('retry-after')).toBe('1')
      }
    })

    test('a backend that breaks off is 502 [T-18, T-44, D-06, D-13]', async () => {
      const gateway = await start([await startBackend('w1', resetBeforeHead)])
      const answer = await gateway.ask()
      expectOwnAnswer(answer, 502)
      expect(answer.header('retry-after')).toBeUndefined()
    })

    test('a backend that talks nonsense is 502 [T-18, T-38, T-44]', async () => {
      const gateway = await start([await startBackend('w1', rawAnswer('SSH-2.0-OpenSSH_9.2\r\n'))])
      expectOwnAnswer(await gateway.ask(), 502)
    })

    test('a backend that takes too long is 504 [T-18, T-44]', async () => {
      const gateway = await start([await startBackend('w1', hang)], { timeouts: { response: 150 } })
      expectOwnAnswer(await gateway.ask(), 504)
    })

    test('a request that could be read in two ways is 400, and the end of its connection [T-30, T-44]', async () => {
      const gateway = await start([await startBackend('w1')])
      const { answers, closed } = await gateway.raw('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')
      const [answer] = answers
      expectOwnAnswer({ status: 0, lines: [], text: '', ...answer }, 400)
      expectNothingInside(answer?.body ?? '')
      expect(closed).toBe(true)
    })

    test('another transfer coding than chunked is 501 [T-30, D-12]', async () => {
      const gateway = await start([await startBackend('w1')])
      const { answers, closed } = await gateway.raw(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      )
      expectOwnAnswer({ status: 0, lines: [], text: '', ...answers[0] }, 501)
      expect(closed).toBe(true)
    })

    test('after 502, 503 and 504 the connection goes on', async () => {
      const [w1] = await startBackends('w1')
      const gateway = await start([w1], { timeouts: { response: 150 } })
      const twice = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2)
      const statuses = async () =>
        (await gateway.raw(twice, { answers: 2 })).answers.map(({ status }) => status)
      w1.script = hang
      expect(await statuses()).toEqual([504, 504])
      w1.script = resetBeforeHead
      expect(await statuses()).toEqual([502, 502])
      gateway.pool.setHealthy('w1', false)
      expect(await statuses()).toEqual([503, 503])
    })

    test('they have no body for HEAD', async () => {
      const gateway = await start([])
      const answer = await gateway.ask({ method: 'HEAD' })
      expectOwnAnswer(answer, 503)
      expect([answer.body.length, answer.complete]).toEqual([0, true])
    })

    test('they reflect nothing of the request [T-44]', async () => {
      const gateway = await start([])
      const answer = await gateway.ask({
        path: '/<script>?x=MARK',
        headers: { Host: 'MARK.test', 'User-Agent': 'MARK' },
      })
      expectOwnAnswer(answer, 503)
      expect(answer.text).not.toMatch(/MARK|script/)
    })

    test("a backend's own errors are its own: nothing is added to them", async () => {
      const gateway = await start([await startBackend('w1', echoWith(502))])
      const answer = await gateway.ask()
      expect(answer.status).toBe(502)
      expect([answer.header('cache-control'), answer.header('x-content-type-options')]).toEqual([
        undefined,
        undefined,
      ])
    })
  })
}
