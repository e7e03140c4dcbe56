import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { BackendSetup } from '../support/backend.ts'
import { testCertificate } from '../support/tls.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { acceptEcho, acceptWith, drain, switching, webSocketServer } from '../support/upgrade-scripts.ts'
import type { Start } from './start.ts'

const MEGABYTE = 1024 * 1024

/** The bytes through a WebSocket once it is open. */
export function tunnels(start: Start): void {
  describe('an open WebSocket', () => {
    const { web, raw } = upgradeClients()

    test('text and bytes pass both ways, in any size', async () => {
      const gateway = await start([await startTunnelBackend('w1', webSocketServer())])
      for (const perMessageDeflate of [false, true]) {
        const { ask } = await web(gateway.port, { perMessageDeflate })
        for (const text of ['', 'a', 'ü€😀']) expect((await ask(text)).toString()).toBe(text)
        for (const size of [1, 125, 126, 65_535, 65_536, MEGABYTE]) {
          const sent = randomBytes(size)
          const got = await ask(sent)
          expect([got.length, sha256(got)]).toEqual([size, sha256(sent)])
        }
      }
    })

    test('many messages keep their order, and many tunnels keep theirs apart', async () => {
      const gateway = await start([await startTunnelBackend('w1', webSocketServer())])
      const talks = Array.from({ length: 12 }, async (_, number) => {
        const { socket, receive } = await web(gateway.port)
        const sent = Array.from({ length: 40 }, (_message, index) => `${number}-${index}`)
        for (const message of sent) socket.send(message)
        const got: string[] = []
        while (got.length < sent.length) got.push((await receive()).toString())
        expect(got).toEqual(sent)
      })
      await Promise.all(talks)
      expect(gateway.view({ id: 'w1' }).inFlight).toBe(12)
    })

    test('what a backend sends right behind its 101 arrives', async () => {
      for (const size of [1, 1_000, 300_000]) {
        const behind = 'x'.repeat(size)
        const gateway = await start([await startTunnelBackend('w1', acceptWith({ behind }))])
        const client = await raw(gateway.port)
        await client.until(() => client.behind.length >= size)
        expect(client.behind === behind).toBe(true)
      }
    })

    test('what a client sends right behind its handshake waits for the 101, and arrives [T-36]', async () => {
      const w1 = await startTunnelBackend('w1', () => {})
      const gateway = await start([w1])
      const client = await raw(gateway.port, `${handshakeText()}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`)
      const handshake = await w1.handshake()
      let got = handshake.head.toString()
      drain(handshake.socket).on('data', (data: Buffer) => (got += data.toString()))
      client.write('more')
      // For what must not come there is no event.
      await delay(150)
      expect(got).toBe('')
      handshake.socket.write(switching(handshake))
      await expect.poll(() => got, { interval: 5 }).toBe('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\nmore')
      expect([w1.handshakes.length, w1.seen.length]).toEqual([1, 0])
    })

    test('a side that reads slowly slows the other down, and memory does not pay for it', async () => {
      const piece = Buffer.alloc(MEGABYTE / 4)
      const total = 40 * MEGABYTE
      const w1 = await startTunnelBackend('w1', acceptWith())
      const gateway = await start([w1])
      const client = await raw(gateway.port)
      await client.responded()
      const { socket: backend } = await w1.handshake()
      for (const [reader, writer] of [
        [client.socket, backend],
        [backend, client.socket],
      ] as const) {
        reader.removeAllListeners('data').pause()
        // In pieces: one that the kernel has in part counts as waiting.
        for (let sent = 0; sent < total; sent += piece.length) writer.write(piece)
        await untilStill(() => onTheWay(writer))
        expect(onTheWay(writer)).toBeLessThan(total / 2)
        const before = reader.bytesRead
        reader.on('data', () => {}).resume()
        await once(writer, 'drain')
        await expect.poll(() => reader.bytesRead - before, { interval: 5 }).toBeGreaterThan(total / 2)
      }
    })

    test('it stays open while nothing passes: only its own timeout counts', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1], { timeouts: { response: 200, idle: 200, connect: 200 } })
      const client = await raw(gateway.port)
      await client.responded()
      // This wait is what the test is about: longer than those, in any coarse reckoning of them.
      await delay(1_300)
      client.write('still there')
      await client.until(() => client.behind === 'still there')
      expect(client.behind).toBe('still there')
    })

    test.each<[string, () => BackendSetup]>([
      ['behind TLS', () => ({ tls: true })],
      [
        'at a path',
        () => ({ path: join(tmpdir(), `limpet-${process.pid}-${Math.random().toString(36).slice(2)}.sock`) }),
      ],
    ])('a backend %s has its tunnels, too', async (_where, setup) => {
      const w1 = await startTunnelBackend('w1', acceptEcho, setup())
      const gateway = await start([w1], { tls: { ca: testCertificate.cert } })
      const client = await raw(gateway.port)
      await client.responded()
      const sent = 'x'.repeat(500_000)
      client.write(sent)
      await client.until(() => client.behind.length === sent.length)
      expect(client.behind === sent).toBe(true)
      client.socket.end()
      await (
        await w1.handshake()
      ).over
    })
  })
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Bytes that have left the writer. */
function onTheWay(writer: Socket): number {
  return writer.bytesWritten - writer.writableLength
}

/** Settles once a number has not grown for a while: there is no event for what does not happen any more. */
async function untilStill(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count()
    await delay(150)
  }
}
