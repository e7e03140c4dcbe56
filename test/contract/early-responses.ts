import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import type { Script } from '../support/exchange.ts'
import { openRaw } from '../support/raw-client.ts'
import type { Start } from './start.ts'

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n'

const CLOSE = { connection: 'close' }

/** Responds before the body is there, and reads no more than what has come with the head. */
function early(headers: Record<string, string>): Script {
  return ({ response }) => void response.writeHead(200, headers).end('early')
}

/** A backend may respond before the request has ended. The rest of the request must not keep the connection. */
export function earlyResponses(start: Start): void {
  describe('a response before the end of the body', () => {
    test('ends the connection of a client that does not send the rest [M9]', async () => {
      const [stays, closes] = [await startBackend('w1', early({})), await startBackend('w1', early(CLOSE))]
      const gateways = [await start([stays]), await start([closes])]
      const open = gateways.flatMap(gateway => [
        { gateway, field: '', drips: false },
        { gateway, field: '', drips: true },
        { gateway, field: 'Connection: close\r\n', drips: true },
      ])
      await Promise.all(
        open.map(async ({ gateway, field, drips }) => {
          const client = await openRaw(gateway.port)
          client.write(`${HEAD}${field}\r\nfirst`)
          await client.until(received => received.includes('early'))
          expect(client.received).toMatch(/^HTTP\/1\.1 200 /)
          if (drips) drip(client)
          // A reset is an error of the socket, so `once` would reject.
          const closed = Promise.withResolvers<void>()
          client.socket.on('close', closed.resolve)
          if (!client.closed) await closed.promise
        }),
      )
      for (const gateway of gateways) await expect.poll(() => gateway.connections()).toBe(0)
    })
  })
}

function drip(client: Awaited<ReturnType<typeof openRaw>>): void {
  const timer = setInterval(() => client.write('x'), 100)
  client.socket.once('close', () => clearInterval(timer))
}
