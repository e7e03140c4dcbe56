import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import type { Start } from './start.ts'

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
/** A body that a reader of the other length takes for its beginning and the next request. */
const CHUNKED = `0\r\n\r\n${SMUGGLED}`

/** Messages that two readers could read in two ways. */
export function framing(start: Start): void {
  /** It is refused, the connection is closed, and no backend has seen the smuggled request. */
  async function expectRefused(text: string, statuses: readonly number[]): Promise<void> {
    const w1 = await startBackend('w1')
    const gateway = await start([w1])
    // Now there is a connection on which the next request would go at once.
    await gateway.ask({ path: '/before' })
    const { answers, closed } = await gateway.raw(text, { answers: 2 })
    expect(answers.map(({ status }) => status)).toHaveLength(1)
    expect(statuses).toContain(answers[0]?.status)
    expect(closed).toBe(true)
    expect(w1.seen.map(({ url }) => url)).not.toContain('/smuggled')
    const complete = w1.seen.filter(({ sha256 }) => sha256 !== undefined)
    expect(complete.map(({ url }) => url)).toEqual(['/before'])
  }

  describe('framing', () => {
    test.each([
      ['both lengths', `Content-Length: 5\r\nTransfer-Encoding: chunked`],
      ['both lengths, the other way round', `Transfer-Encoding: chunked\r\nContent-Length: 5`],
      ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
      ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5'],
      ['a list of lengths', 'Content-Length: 5, 5'],
      ['an empty length', 'Content-Length: '],
      ['a length with a sign', 'Content-Length: +5'],
      ['a negative length', 'Content-Length: -1'],
      ['a length in hexadecimal', 'Content-Length: 0x5'],
      ['a length with a blank in it', 'Content-Length: 5 5'],
      ['a length that no number holds', `Content-Length: ${'9'.repeat(30)}`],
      ['a coding after a comma', 'Transfer-Encoding: ,chunked'],
      ['a coding before a comma', 'Transfer-Encoding: chunked,'],
      ['chunked twice', 'Transfer-Encoding: chunked, chunked'],
      ['chunked in two lines', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'],
      ['identity in another line', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'],
      ['chunked before the last coding', 'Transfer-Encoding: chunked, gzip'],
      ['chunked with a parameter', 'Transfer-Encoding: chunked;q=1'],
      ['another coding', 'Transfer-Encoding: identity'],
      ['almost chunked', 'Transfer-Encoding: xchunked'],
      ['chunked and a vertical tab', 'Transfer-Encoding: chunked\u000b'],
      ['chunked in quotes', 'Transfer-Encoding: "chunked"'],
      ['a folded line', 'Transfer-Encoding:\r\n chunked'],
      ['a blank before the colon', 'Transfer-Encoding : chunked'],
      ['a blank before the name', 'X-A: 1\r\n Transfer-Encoding: chunked'],
      ['a line without a name', ': x\r\nTransfer-Encoding: chunked'],
      ['a line without a colon', 'Nonsense\r\nTransfer-Encoding: chunked'],
      ['a NUL in a value', 'X-A: a\u0000b\r\nContent-Length: 5'],
      ['a bare line feed', 'X-A: 1\nTransfer-Encoding: chunked'],
      ['a bare carriage return', 'X-A: 1\rTransfer-Encoding: chunked\r\nContent-Length: 5'],
    ])('%s is refused [T-30, D-12, D-17]', async (_what, fields) => {
      await expectRefused(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${CHUNKED}`, [400, 501])
    })

    test('chunked in HTTP/1.0 is refused [T-30]', async () => {
      await expectRefused(
        `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`,
        [400, 501],
      )
    })

    test.each(['0x5', '+5', '-5', '5_0', ' 5', 'G', '', 'FFFFFFFFFFFFFFFFF', '5\n', '5;a=\u0000'])(
      'a chunk of size %j is refused [T-30]',
      async size => {
        const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
        await expectRefused(`${head}${size}\r\nhello\r\n${CHUNKED}`, [400, 413])
      },
    )

    test.each(['5\r\nhelloX\r\n0\r\n\r\n', '5\r\nhello\n0\r\n\r\n', '3\r\nhello\r\n0\r\n\r\n'])(
      'a chunk that does not end where it should is refused: %j [T-30]',
      async body => {
        const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
        await expectRefused(`${head}${body}${SMUGGLED}`, [400])
      },
    )

    test.each(['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3.0', 'HTTP/11', 'http/1.1', 'HTTPS/1.1'])(
      '%s is not a version of ours [D-17]',
      async version => {
        await expectRefused(`GET / ${version}\r\nHost: a\r\n\r\n`, [400, 505])
      },
    )

    test('a request without a version is not answered as if it had one [D-17]', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { text } = await gateway.raw('GET /\r\n\r\n')
      expect(text).toMatch(/^(HTTP\/1\.1 (400|505) |$)/)
      expect(w1.seen).toEqual([])
    })

    test.each(['chunked', 'Chunked', 'CHUNKED'])('the coding %s is chunked [T-30]', async coding => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const { answers } = await gateway.raw(
        `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n5;ext="a;b"\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n`,
      )
      expect(answers[0]?.body).toContain('"bytes":5')
      expect(
        w1.last.lines.filter(([name]) => /^(transfer-encoding|content-length)$/i.test(name)),
      ).toHaveLength(1)
    })

    test('requests that come one behind the other are answered one after the other', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const requests = [1, 2, 3].map(n => `POST /${n} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n${n}`)
      const { answers } = await gateway.raw(requests.join(''), { answers: 3 })
      expect(answers.map(({ body }) => JSON.parse(body).url)).toEqual(['/1', '/2', '/3'])
      expect(w1.seen.map(({ bytes }) => bytes)).toEqual([1, 1, 1])
    })
  })
}
