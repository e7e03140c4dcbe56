import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Exchange } from './exchange.ts'
import { carry, type Dispatched, dispatcher, loadReplyFrom } from './reply-from.ts'
import { SeenReply } from './seen-reply.ts'
import { sourceOf } from './upstream.ts'

const BACKEND = { id: 'w1', url: new URL('http://10.0.0.7') }

/** The request that reply-from makes of a client's. */
async function dispatched(target: string, url: string): Promise<Dispatched & { fields: object }> {
  const app = Fastify()
  let fields: object = {}
  onTestFinished(() => app.close())
  const seen = Promise.withResolvers<Dispatched>()
  const from = await loadReplyFrom(app, {
    request(options, onResponded) {
      seen.resolve(options)
      dispatcher.request(options, onResponded)
    },
  })
  app.all('*', (_request, reply) => {
    const exchange = {
      reply,
      send: (onResponded: Parameters<Exchange['send']>[0]) =>
        onResponded(null, { statusCode: 204, headers: {}, body: { destroy() {} } }),
    } as Exchange
    from.call(new SeenReply(exchange), sourceOf({ id: 'w1', url: new URL(url) }, target), {
      rewriteRequestHeaders: (_, headers) => {
        fields = headers
        return carry(exchange)
      },
      onResponse: () => reply.send(),
    })
  })
  const { statusCode } = await app.inject({ method: 'PUT', url: '/mounted', headers: { 'x-a': '1' } })
  expect(statusCode).toBe(204)
  return { ...(await seen.promise), fields }
}

describe('reply-from', () => {
  it.each([
    ['http://10.0.0.7:8080', 'http://10.0.0.7:8080', '10.0.0.7:8080'],
    ['https://shop.internal', 'https://shop.internal', 'shop.internal'],
    ['http://[::1]:8080', 'http://[::1]:8080', '[::1]:8080'],
    ['unix:/run/shop.sock', 'http://localhost', 'localhost'],
  ])(
    'sees the method, the path and the address of %s, and no header field of the client',
    async (url, origin, host) => {
      const { fields, ...seen } = await dispatched('/cart?page=2', url)
      expect(seen).toMatchObject({ method: 'PUT', path: '/cart?page=2', origin })
      expect(fields).toEqual({ host })
    },
  )

  it.each([
    '*',
    '//evil/x',
    '/a/../b',
    '/..',
    '/%2e%2e/x',
    '/a%2F..%2Fb',
    '/%zz',
    '/%',
    '/\\evil',
    '/a\\..\\b',
  ])('takes %s without an error', async target => {
    const { path, origin } = await dispatched(target, 'http://10.0.0.7')
    expect([path, origin]).toEqual(['/', 'http://10.0.0.7'])
  })

  it.each(['/a...b', '/[...slug]', '/%20x', '/caf%C3%A9'])('sees %s as it is', target => {
    expect(sourceOf(BACKEND, target)).toBe(`http://10.0.0.7${target}`)
  })
})
