import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type ServerResponse } from 'node:http'
import { setImmediate as immediately } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { connectedTo } from '../listening.fixture.ts'
import { guardServer } from './server.ts'

/** A guarded server whose responses wait for the test, and a client that has sent `count` requests at once. */
async function pipelined(count: number, maxUnanswered?: number) {
  const waiting: ServerResponse[] = []
  const urls: (string | undefined)[] = []
  const server = guardServer(
    createServer((request, response) => {
      urls.push(request.url)
      waiting.push(response)
    }),
    maxUnanswered === undefined ? {} : { maxUnanswered },
  )
  const client = await connectedTo(server)
  let received = ''
  client.on('data', (piece: Buffer) => (received += piece.toString()))
  const text = Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`)
  client.write(text.join(''))
  await expect.poll(() => waiting.length).toBeGreaterThan(0)
  for (let turn = 0; turn < 20; turn += 1) await immediately()
  return { waiting, urls, client, answers: () => received.match(/HTTP\/1\.1 200/g)?.length ?? 0 }
}

it.each([
  [16, undefined],
  [1, 1],
  [3, 3],
])('hands %i requests of a connection to the app', async (expected, option) => {
  const { waiting, urls, answers } = await pipelined(2_000, option)
  expect(waiting).toHaveLength(expected)
  let mostUnanswered = 0
  for (let responded = 0; responded < 2_000;) {
    const response = waiting.shift()
    if (response === undefined) {
      await immediately()
    } else {
      mostUnanswered = Math.max(mostUnanswered, urls.length - responded)
      response.end()
      responded += 1
    }
  }
  expect(mostUnanswered).toBe(expected)
  await expect.poll(answers).toBe(2_000)
  expect(urls).toEqual(Array.from({ length: 2_000 }, (_, index) => `/${index}`))
})

it('reads a connection again when it has answered', async () => {
  const { waiting, client, answers } = await pipelined(40)
  for (let responded = 0; responded < 40;) {
    const response = waiting.shift()
    if (response === undefined) await immediately()
    else {
      response.end()
      responded += 1
    }
  }
  await expect.poll(answers).toBe(40)
  client.write('POST /last HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
  await expect.poll(() => waiting.length).toBe(1)
})

it('hands a held request over in a context of its own', async () => {
  const storage = new AsyncLocalStorage<string | undefined>()
  const waiting: ServerResponse[] = []
  const seen: (string | undefined)[] = []
  const server = guardServer(
    createServer((request, response) => {
      seen.push(storage.getStore())
      storage.enterWith(request.url)
      waiting.push(response)
    }),
    { maxUnanswered: 2 },
  )
  const client = (await connectedTo(server)).resume()
  client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5))
  for (let responded = 0; responded < 5; responded += 1) {
    await expect.poll(() => waiting.length).toBeGreaterThan(0)
    waiting.shift()?.end()
  }
  expect(seen.slice(2)).not.toContain('/1')
})

it.each([0, 1.5, '4', null])('%j is no limit of a guarded server', value => {
  expect(() => guardServer(createServer(), { maxUnanswered: value as number })).toThrow(
    'option maxUnanswered got',
  )
})
