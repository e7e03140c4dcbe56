import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { openRaw } from '../support/raw-client.ts'
import { expectOwnAnswer } from './own-answers.ts'
import type { Start } from './start.ts'

const LIMIT = 1000

/** More than `bodyLimit` is too much, announced or not. */
export function bodyLimit(start: Start): void {
  describe('bodyLimit', () => {
    test('a body that announces more is refused, and no backend is tried', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1], { bodyLimit: LIMIT })
      const answer = await gateway.ask({ method: 'POST', body: Buffer.alloc(LIMIT + 1) })
      expectOwnAnswer(answer, 413)
      expect(w1.seen).toEqual([])
    })

    test('a body that turns out to be more is refused, and no backend takes it for complete', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1], { bodyLimit: LIMIT })
      const client = await openRaw(gateway.port)
      client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
      client.write(`1f4\r\n${'x'.repeat(500)}\r\n`)
      client.write(`1f5\r\n${'x'.repeat(501)}\r\n`)
      await client.until(received => received.includes('\r\n\r\n'))
      expect(client.received).toMatch(/^HTTP\/1\.1 413 /)
      expect(client.received).not.toMatch(/set-cookie/i)
      for (const seen of w1.seen) {
        await seen.over
        expect([seen.aborted, seen.sha256]).toEqual([true, undefined])
      }
      expect(gateway.view(w1).failures, 'the backend has done nothing wrong').toBe(0)
    })

    test.each([
      ['in one piece', Buffer.alloc(LIMIT)],
      ['in chunks', [Buffer.alloc(LIMIT - 1), Buffer.alloc(1)]],
    ])('a body of just so much passes %s', async (_how, body) => {
      const gateway = await start([await startBackend('w1')], { bodyLimit: LIMIT })
      const answer = await gateway.ask({ method: 'POST', body })
      expect([answer.status, answer.echo.bytes]).toEqual([200, LIMIT])
    })

    test('no limit but that one holds', async () => {
      const gateway = await start([await startBackend('w1')], { bodyLimit: 8 * 1024 * 1024 })
      const answer = await gateway.ask({ method: 'POST', body: Buffer.alloc(5 * 1024 * 1024) })
      expect([answer.status, answer.echo.bytes]).toEqual([200, 5 * 1024 * 1024])
    })
  })
}
