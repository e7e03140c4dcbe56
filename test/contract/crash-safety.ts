import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { openRaw } from '../support/raw-client.ts'
import { rawAnswer } from '../support/scripts.ts'
import type { Start } from './start.ts'

const FIELDS = [
  'Trailer: X-A',
  'TE: trailers',
  'Keep-Alive: x',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Connection: upgrade',
  'Connection: close',
  'Connection: , ,x',
  'Proxy-Connection: y',
  'Content-Length: 3',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Host: b',
  'Cookie: SERVERID=\u00ff; ;;=',
  'Cookie: SERVERID="',
  'Content-Type: /',
  'Content-Encoding: gzip',
  'Range: bytes=-',
  'Origin: null',
  'Accept-Encoding: *;q=0',
  'Forwarded: for="',
  'X-Forwarded-For: \u00ff',
  '__proto__: x',
  'constructor: x',
  'Sec-WebSocket-Key: x',
  ': x',
  'X-Empty:',
]

const ANSWER =
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive, x-a\r\nX-A: 1\r\nTrailer: X-B\r\n' +
  'Set-Cookie: a=1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-B: 2\r\n\r\n'

/**
 * No input takes the gateway down. The checks of `start` after each test are half of it. The numbers are small, since
 * every adapter runs them: test/fuzz has tens of thousands of messages.
 */
export function crashSafety(start: Start): void {
  describe('crash safety', () => {
    test('two hundred odd requests [T-59, D-01, D-04]', async () => {
      const gateway = await start(await startBackends('w1', 'w2'), { timeouts: { response: 1_000 } })
      const random = randomFrom(1)
      const statuses = new Map<string, number>()
      for (let round = 0; round < 4; round += 1) {
        const clients = await Promise.all(Array.from({ length: 50 }, () => openRaw(gateway.port)))
        for (const client of clients) client.write(oddRequest(random))
        // Many of them are incomplete: then there is no response, and none is required. Those that are complete have
        // theirs before requests that come later.
        for (let later = 0; later < 3; later += 1) await gateway.ask()
        for (const client of clients) {
          client.socket.destroy()
          expect(client.received).toMatch(/^(HTTP\/1\.1 \d{3} |$)/)
          const status = client.received.slice(9, 12)
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
        }
      }
      expect(statuses.get('500')).toBeUndefined()
      expect(statuses.get('200'), 'some of them are sound').toBeGreaterThan(0)
    })

    test('two hundred odd answers [T-59, D-02, D-03]', async () => {
      const random = randomFrom(2)
      const w1 = await startBackend('w1', exchange => rawAnswer(damaged(ANSWER, random))(exchange))
      const gateway = await start([w1])
      let sound = 0
      for (let round = 0; round < 4; round += 1) {
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const answer = await gateway.ask().catch(() => undefined)
            if (answer?.complete === true && answer.status === 200) sound += 1
          }),
        )
      }
      expect(sound, 'some of them are sound').toBeGreaterThan(10)
    })

    test('clients that end, reset and pile up requests while they are answered [T-59]', async () => {
      const gateway = await start(await startBackends('w1', 'w2'))
      const random = randomFrom(3)
      await Promise.all(
        Array.from({ length: 60 }, async () => {
          const client = await openRaw(gateway.port)
          client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1 + Math.floor(random() * 20)))
          await client.until(received => received.length > random() * 2_000)
          if (random() < 0.5) client.socket.resetAndDestroy()
          else client.socket.end('GET')
        }),
      )
    })
  })
}

function oddRequest(random: () => number): string {
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
  const fields = Array.from({ length: Math.floor(random() * 5) }, () => `${pick(FIELDS)}\r\n`)
  const line = `${pick(['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'TRACE'])} ${pick(['/', '/%zz', '//x', '*', '/?'])} HTTP/1.${pick(['0', '1', '1', '1'])}`
  const request = `${line}\r\nHost: a\r\n${fields.join('')}\r\n${pick(['', 'abc', '3\r\nabc\r\n0\r\n\r\n', '0\r\nX: y\r\n\r\n'])}`
  return random() < 0.3 ? damaged(request, random) : request
}

/** One to three bytes are other bytes, or gone, or there twice. */
function damaged(text: string, random: () => number): string {
  let result = text
  for (let times = 1 + Math.floor(random() * 3); times > 0; times -= 1) {
    const at = Math.floor(random() * result.length)
    const byte = String.fromCharCode(Math.floor(random() * 256))
    const middle =
      [byte, '', result.slice(at, at + 2), `${byte}${result[at] ?? ''}`][Math.floor(random() * 4)] ?? ''
    result = result.slice(0, at) + middle + result.slice(at + 1)
  }
  return result
}

/** The same numbers every time (mulberry32), so that what fails once fails again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
