import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { openRaw } from '../support/raw-client.ts'
import type { Start } from './start.ts'

/** `Expect: 100-continue`: the client waits until the backend wants its body. */
export function expectations(start: Start): void {
  describe('Expect', () => {
    test('a client that waits is told to go on, and its body arrives [T-43, D-04]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const { cookieHeader } = await gateway.browserOn(w1)
      const client = await openRaw(gateway.port)
      client.write(
        `POST /up HTTP/1.1\r\nHost: a\r\nCookie: a=1; ${cookieHeader}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      )
      await client.until(received => received.includes('\r\n\r\n'))
      expect(client.received).toMatch(/^HTTP\/1\.1 100 /)
      client.write('hello')
      await client.until(received => received.includes('"bytes":5'))
      expect(client.received).toMatch(/\r\nHTTP\/1\.1 200 /)
      expect(client.received, 'the session has not moved').not.toMatch(/set-cookie/i)
      expect(w1.last.url).toBe('/up')
      expect(joinedValue(w1.last.lines, 'cookie')).toBe('a=1')
      expect(valuesOf(w1.last.lines, 'expect')).toEqual([])
    })

    test('a client that does not wait is served as well [T-43]', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(
        'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      )
      expect(answers[0]?.body).toContain('"bytes":5')
    })

    test('what else a client expects is not to be had [T-43]', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(
        'POST / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Length: 0\r\n\r\n',
      )
      expect(answers.map(({ status }) => status)).toEqual([417])
      expect(w1.seen).toEqual([])
    })
  })
}
