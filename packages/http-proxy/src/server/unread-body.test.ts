import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { connectedTo } from '../listening.fixture.ts'
import { boundUnreadBody } from './unread-body.ts'

const PACE_MS = 100

async function connectTo(listener: RequestListener): Promise<Socket> {
  const client = await connectedTo((request, response) => {
    boundUnreadBody(request, response, PACE_MS)
    // As a guarded server and an adapter both do.
    boundUnreadBody(request, response, PACE_MS)
    listener(request, response)
  })
  return client.on('error', () => {})
}

/** A reset is an error of the socket, so `once` would reject. */
async function closeOf(client: Socket): Promise<void> {
  const closed = Promise.withResolvers<void>()
  client.resume().once('close', closed.resolve)
  await closed.promise
}

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n'

const early: RequestListener = (_request, response) => void response.end('early')

it('ends a connection whose rest comes too slowly', async () => {
  const client = await connectTo(early)
  client.write(HEAD)
  // 120 bytes a second, of the 512 that it takes.
  const dripping = setInterval(() => client.write('1\r\nx\r\n'), 50)
  onTestFinished(() => clearInterval(dripping))
  const startedMs = performance.now()
  await closeOf(client)
  expect(performance.now() - startedMs, 'before its 30 s are over').toBeLessThan(15_000)
})

it('ends one whose body was read in part', async () => {
  const client = await connectTo((request, response) => {
    request.once('data', () => {
      request.pause()
      response.end('early')
    })
  })
  client.write(HEAD)
  await closeOf(client)
})

it('reads the rest of a body that was read in part, and the next request', async () => {
  let count = 0
  const client = await connectTo((request, response) => {
    count += 1
    if (request.method === 'GET') {
      response.end('next')
      return
    }
    const stop = (): void => {
      request.off('data', stop).pause()
      response.end('early')
    }
    request.on('data', stop)
  })
  client.write(HEAD)
  await once(client, 'data')
  client.write(`ffff\r\n${'x'.repeat(0xffff)}\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n`)
  const [answer] = await once(client, 'data')
  expect([String(answer).includes('next'), count]).toEqual([true, 2])
})

it('leaves a connection alone whose requests are whole', async () => {
  const client = await connectTo(early)
  client.write(`${HEAD}0\r\n\r\n`)
  await once(client, 'data')
  const pauses = Promise.withResolvers<void>()
  setTimeout(pauses.resolve, 3 * PACE_MS)
  await pauses.promise
  expect(client.readyState).toBe('open')
})

it('leaves no listeners on a connection of many such requests', async () => {
  const counts: number[] = []
  const client = await connectTo((request, response) => {
    counts.push(request.socket.listenerCount('close'))
    response.end('early')
  })
  for (let count = 0; count < 20; count += 1) {
    client.write(HEAD)
    await once(client, 'data')
    client.write('0\r\n\r\n')
  }
  expect(counts).toHaveLength(20)
  expect(new Set(counts).size).toBe(1)
})
