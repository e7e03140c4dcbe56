import { createHash, randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { joinedValue } from '../support/header-lines.ts'
import { openRaw } from '../support/raw-client.ts'
import { echoWith, rawAnswer } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** Every byte of a body arrives as it was sent, and none that was not. */
export function bodies(start: Start): void {
  describe('bodies', () => {
    test.each([
      ['in one piece', (bytes: Buffer) => bytes],
      ['in chunks', pieces],
    ])(
      'three megabytes %s pass two backends that refuse, byte for byte [LB060, D-14]',
      async (_how, framed) => {
        const bytes = randomBytes(3 * 1024 * 1024)
        const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
        const gateway = await start([w1, w2, w3], { bodyLimit: 4 * 1024 * 1024 })
        await Promise.all([w1.refuse(), w2.refuse()])
        for (let upload = 0; upload < 3; upload += 1) {
          const answer = await gateway.ask({ method: 'POST', body: framed(bytes) })
          expect(answer.status).toBe(200)
          expect(answer.echo).toMatchObject({ id: 'w3', bytes: bytes.length, sha256: sha256(bytes) })
        }
      },
    )

    test.each([
      ['application/json', '{ "a" :\t1,\r\n\r\n "a": 1.0, "b":"\\u00e9"  }\n'],
      ['application/json', '{ this is not json'],
      ['application/json', ''],
      ['application/json; charset=utf-16', 'x'],
      ['application/x-www-form-urlencoded', 'a=1&a=2&b=%zz&c=+%20'],
      ['text/plain; charset=iso-8859-1', 'caf\u00e9'],
      [
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
      ],
      ['application/vnd.nobody.knows+x', '\u0000\u0001\u00ff'],
      ['not a type', 'x'],
      ['text/', 'x'],
      [undefined, 'no type at all'],
    ])('%s passes unread: %j', async (type, text) => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      for (const body of [Buffer.from(text, 'latin1'), [Buffer.from(text, 'latin1')]]) {
        const headers = type === undefined ? {} : { 'Content-Type': type }
        const answer = await gateway.ask({ method: 'POST', headers, body })
        expect(answer.status).toBe(200)
        expect(answer.echo).toMatchObject({ bytes: text.length, sha256: sha256(Buffer.from(text, 'latin1')) })
        expect(joinedValue(w1.last.lines, 'content-type')).toBe(type)
        // Framed as it was; of nothing in chunks may be told that it is nothing.
        const lengths = Buffer.isBuffer(body)
          ? [String(text.length)]
          : [undefined, ...(text === '' ? ['0'] : [])]
        expect(lengths).toContain(joinedValue(w1.last.lines, 'content-length'))
      }
    })

    test.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'])(
      'the body of %s is forwarded, or the request refused, but no length is promised that does not come',
      async method => {
        const w1 = await startBackend('w1')
        const gateway = await start([w1])
        const { answers } = await gateway.raw(
          `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`,
        )
        const status = answers[0]?.status ?? 0
        if (status === 400) return
        expect(status).toBe(200)
        const length = joinedValue(w1.last.lines, 'content-length')
        expect([length, w1.last.bytes]).toEqual(['5', 5])
      },
    )

    test('a body of no bytes is a body of no bytes', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      await gateway.raw('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      expect([joinedValue(w1.last.lines, 'content-length'), w1.last.bytes]).toEqual(['0', 0])
      await gateway.raw(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
      )
      expect(w1.last.bytes).toBe(0)
    })

    test('a body is passed on while it comes, not when it is there', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const client = await openRaw(gateway.port)
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nConnection: close\r\n\r\nfirst')
      const seen = await w1.arrival()
      await expect.poll(() => seen.bytes, { interval: 5 }).toBe(5)
      client.write('other')
      await client.until(received => received.includes('"bytes":10'))
      expect(seen.bytes).toBe(10)
    })

    test('an answer that comes before the body has ended reaches the client', async () => {
      const w1 = await startBackend('w1', ({ response }) => void response.writeHead(401).end('no'))
      const gateway = await start([w1])
      const client = await openRaw(gateway.port)
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nfirst')
      await client.until(received => received.includes('no'))
      expect(client.received).toMatch(/^HTTP\/1\.1 401 /)
      // A client that continues is read to the end, or disconnected; the rest of the body is no request.
      client.write(
        `${'GET /smuggled HTTP/1.1\r\n\r\n'.padEnd(995, 'x')}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`,
      )
      await client.until(received => received.split('HTTP/1.1 401 ').length === 3)
      expect(w1.seen.map(({ url }) => url).join()).toMatch(/^\/(,\/next)?$/)
      expect(client.closed || w1.seen.length === 2).toBe(true)
    })

    test('an upload whose backend dies in the middle of it is 502, and the client is told', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { bodyLimit: 64 * 1024 * 1024 })
      const browser = await gateway.browserOn(w1)
      w1.script = ({ request }) => void request.once('data', () => request.socket.resetAndDestroy())
      const before = w2.seen.length
      const { answers } = await gateway.raw(
        `POST / HTTP/1.1\r\nHost: a\r\nCookie: ${browser.cookieHeader}\r\nContent-Length: 3000000\r\n\r\n${'x'.repeat(3_000_000)}`,
      )
      expect(answers.map(({ status }) => status)).toEqual([502])
      expect(w2.seen).toHaveLength(before)
    })

    test('a coded answer is not decoded, and nothing is coded that was not', async () => {
      const coded = gzipSync('hello '.repeat(100))
      const w1 = await startBackend('w1', ({ response }) => {
        response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': coded.length }).end(coded)
      })
      const gateway = await start([w1])
      const answer = await gateway.ask({ headers: { 'Accept-Encoding': 'br;q=1.0, gzip' } })
      expect(answer.header('content-encoding')).toBe('gzip')
      expect(answer.body.equals(coded)).toBe(true)
      expect(joinedValue(w1.last.lines, 'accept-encoding')).toBe('br;q=1.0, gzip')
      w1.script = echoWith(200)
      expect(
        (await gateway.ask({ headers: { 'Accept-Encoding': 'gzip' } })).header('content-encoding'),
      ).toBeUndefined()
    })

    test('twenty megabytes come back byte for byte', async () => {
      const bytes = randomBytes(20 * 1024 * 1024)
      const w1 = await startBackend('w1', ({ response }) => void response.end(bytes))
      const gateway = await start([w1])
      const answer = await gateway.ask()
      expect([answer.body.length, sha256(answer.body), answer.complete]).toEqual([
        bytes.length,
        sha256(bytes),
        true,
      ])
    })

    test('an answer that ends with its connection is complete', async () => {
      const script = rawAnswer('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end')
      const gateway = await start([await startBackend('w1', script)])
      const answer = await gateway.ask()
      expect([answer.text, answer.complete]).toEqual(['until the end', true])
    })
  })
}

function* pieces(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 70_001) yield bytes.subarray(at, at + 70_001)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
