import { Agent } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { rawAnswer } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** Answers that have a head and no body, whatever the head says. */
export function bodiless(start: Start): void {
  describe('answers without a body', () => {
    test.each([
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: "1"\r\nX-App: yes\r\n\r\n', '1234'],
      ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: "1"\r\nX-App: yes\r\n\r\n', undefined],
      ['HEAD', 'HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\nETag: "1"\r\nX-App: yes\r\n\r\n', '7'],
      ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nX-App: yes\r\n\r\n', undefined],
      ['GET', 'HTTP/1.1 204 No Content\r\nETag: "1"\r\nX-App: yes\r\n\r\n', undefined],
    ])('the head of %s … %j arrives, and the connection goes on', async (method, head, length) => {
      const w1 = await startBackend('w1', rawAnswer(head, 'stay'))
      const gateway = await start([w1])
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      for (let visit = 0; visit < 3; visit += 1) {
        const answer = await gateway.ask({ method, agent })
        expect(answer.status).toBe(Number(head.slice(9, 12)))
        expect([answer.header('etag'), answer.header('x-app')]).toEqual(['"1"', 'yes'])
        expect([answer.body.length, answer.complete]).toEqual([0, true])
        expect(answer.header('content-length')).toBe(length)
      }
    })

    test('the Content-Length of a 304 is of another response, and no body is awaited', async () => {
      const head = 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: "1"\r\n\r\n'
      const gateway = await start([await startBackend('w1', rawAnswer(head, 'stay'))])
      const { answers } = await gateway.raw(
        'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
        { answers: 2 },
      )
      expect(answers.map(({ status }) => status)).toEqual([304, 304])
    })

    test.each([
      ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
      ['103', 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'.repeat(20)],
    ])('%s before the answer is not the answer', async (_status, early) => {
      const script = rawAnswer(`${early}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`)
      const gateway = await start([await startBackend('w1', script)])
      const answer = await gateway.ask()
      expect([answer.status, answer.text, answer.complete]).toEqual([200, 'ok', true])
      expect(answer.header('link')).toBeUndefined()
      expect(answer.cookies('SERVERID')).toHaveLength(1)
    })

    test('an unrequested 100 ends in a response, if only a 502: undici rejects it', async () => {
      const script = rawAnswer('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      const gateway = await start([await startBackend('w1', script)])
      const answer = await gateway.ask()
      expect([200, 502]).toContain(answer.status)
      expect(answer.complete).toBe(true)
    })
  })
}
