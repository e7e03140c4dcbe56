import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { listening } from '../listening.fixture.ts'
import { addTrailers } from './trailers.ts'

/** The trailers that a client of HTTP/1.1 receives. */
async function received(trailers: Record<string, string | string[] | undefined>): Promise<unknown> {
  const port = await listening((_request, response) => {
    response.writeHead(200, { trailer: 'X-Sum' }).write('body')
    addTrailers(response, trailers)
    response.end()
  })
  const [message] = (await once(get({ host: '127.0.0.1', port, agent: false }), 'response')) as [
    IncomingMessage,
  ]
  expect(await text(message)).toBe('body')
  return message.trailers
}

it('are sent behind the body, without fields that are too late or that Node cannot write', async () => {
  const trailers = { 'x-sum': '1', 'content-length': '3', 'a b': 'no name', 'x-bad': 'two\nlines' }
  expect(await received(trailers)).toEqual({ 'x-sum': '1' })
})

it('are left out when none of them can be sent', async () => {
  expect(await received({ 'x-bad': 'two\nlines', vary: '*' })).toEqual({})
})
