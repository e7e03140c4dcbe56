import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedTo } from '../listening.fixture.ts'
import { hasLeft, onceClosed } from './client-side.ts'

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** How often it was called. */
  readonly closes: () => number
  readonly closed: Promise<void>
}

/** A client that has sent so many requests at once, and the exchanges, none of which has been answered. */
async function pipelined(count: number) {
  const exchanges: Exchange[] = []
  const all = Promise.withResolvers<void>()
  const client = await connectedTo((request, response) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let closes = 0
    onceClosed(request, response, () => {
      closes += 1
      resolve()
    })
    exchanges.push({ request, response, closes: () => closes, closed: promise })
    if (exchanges.length === count) all.resolve()
  })
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count))
  await all.promise
  return { client, exchanges }
}

describe('the client’s side', () => {
  it('closes with its response, each of a connection by itself', async () => {
    const { exchanges } = await pipelined(3)
    for (const [index, { response, closed }] of exchanges.entries()) {
      response.end()
      await closed
      expect(exchanges.map(({ closes }) => closes())).toEqual([0, 1, 2].map(at => (at <= index ? 1 : 0)))
    }
    expect(exchanges.map(({ request, response }) => hasLeft(request, response))).toEqual([true, true, true])
  })

  it('closes with its connection, also for a response whose turn has not come, and once', async () => {
    // So many that a listener for each would be worth a warning.
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    const { client, exchanges } = await pipelined(30)
    expect(exchanges.some(({ request, response }) => hasLeft(request, response))).toBe(false)
    client.resetAndDestroy()
    await Promise.all(exchanges.map(async ({ closed }) => closed))
    for (const { response } of exchanges) response.end()
    await new Promise(setImmediate)
    expect(exchanges.map(({ closes }) => closes())).toEqual(exchanges.map(() => 1))
    expect(exchanges.every(({ request, response }) => hasLeft(request, response))).toBe(true)
    expect(warnings).toEqual([])
  })
})
