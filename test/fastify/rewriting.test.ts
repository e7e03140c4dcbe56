import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'

const { raw } = upgradeClients()

describe('rewritePrefix', () => {
  test.each<[string, string, string, string]>([
    ['/api', '/v1', '/api/x?y=%2f', '/v1/x?y=%2f'],
    ['/api', '/v1', '/api', '/v1'],
    ['/api', '/v1', '/api?x', '/v1?x'],
    ['/api', '', '/api/x//y', '/x//y'],
    ['/api', '/', '/api/x', '/x'],
    ['/api', '', '/api?x=/api', '/?x=/api'],
    ['/:tenant/api', '/v1', '/shop/api/x', '/v1/x'],
    ['/api', '/v1', '/api/a/../b', '/v1/a/../b'],
  ])('%s by %j makes %s to %s', async (prefix, rewritePrefix, path, expected) => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startBackend('w1')), prefix, rewritePrefix })
    expect((await ask(await listen(app), { path })).echo.url).toBe(expected)
  })

  test.each(['/api//other.example/x', '/api/../x', '/api/a/../../x', '/api/%2E%2e/x'])(
    'rejects %s, which leaves the prefix',
    async path => {
      const w1 = await startBackend('w1')
      const app = newApp()
      await app.register(limpet, { ...poolOf(w1), prefix: '/api', rewritePrefix: '' })
      expect((await ask(await listen(app), { path })).status).toBe(400)
      expect(w1.seen).toEqual([])
    },
  )

  test("keeps the session, whose cookie has the client's path", async () => {
    const app = newApp()
    const affinity = [{ cookie: { path: '/api' } }]
    const pool = poolOf(await startBackend('w1'), await startBackend('w2'))
    await app.register(limpet, { ...pool, affinity, prefix: '/api', rewritePrefix: '/v1' })
    const port = await listen(app)
    const [cookie = ''] = (await ask(port, { path: '/api/x' })).cookies('SERVERID')
    const again = await ask(port, { path: '/api/y', headers: { Cookie: cookie.split(';')[0] } })
    expect([again.echo.id, again.echo.url, again.cookies()]).toEqual(['w1', '/v1/y', []])
  })

  test('rewrites the target of a WebSocket handshake', async () => {
    const w1 = await startTunnelBackend('w1')
    const app = newApp()
    await app.register(limpet, { ...poolOf(w1), prefix: '/chat', rewritePrefix: '/ws' })
    await (await raw(await listen(app), handshakeText())).responded()
    expect((await w1.handshake()).url).toBe('/ws')
  })

  test.each<unknown>(['v1', '/v1/', '//v1', '/v1?x', '/v1#x', '/a b', '/a/../b', String.raw`/a\b`, 1])(
    '%j is refused',
    async rewritePrefix => {
      const wrong = { ...poolOf(), prefix: '/api', rewritePrefix } as ReturnType<typeof poolOf>
      await expect(newApp().register(limpet, wrong)).rejects.toMatchObject({ option: 'rewritePrefix' })
    },
  )
})

describe('rewriteRequestHeaders', () => {
  test('returns what the backend gets, in requests and in handshakes', async () => {
    const w1 = await startTunnelBackend('w1')
    const app = newApp()
    await app.register(limpet, {
      ...poolOf(w1),
      rewriteRequestHeaders: ({ id }, headers) => {
        delete headers['x-user']
        return { ...headers, 'x-request-id': id }
      },
    })
    const port = await listen(app)
    await ask(port, { headers: { 'X-User': 'mallory', 'X-A': '1' } })
    await raw(port, handshakeText('X-User: mallory', 'X-A: 1'))
    for (const { lines } of [w1.last, await w1.handshake()]) {
      expect(['x-user', 'x-a', 'x-request-id'].map(name => valuesOf(lines, name))).toEqual([
        [],
        ['1'],
        [expect.stringMatching(/^req-/)],
      ])
    }
  })

  test.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
    ],
    ['returns nothing', () => undefined as never],
    ['returns a line that cannot be sent', () => ({ 'x-a': 'a\r\nb: c' }) as never],
  ])('that %s is 500, and nothing is in flight', async (_, rewriteRequestHeaders) => {
    const w1 = await startBackend('w1')
    const affinity = createAffinity(poolOf(w1))
    const app = newApp()
    await app.register(limpet, { use: affinity, rewriteRequestHeaders })
    expect((await ask(await listen(app))).status).toBe(500)
    expect([w1.seen, affinity.pool.find('w1')?.inFlight]).toEqual([[], 0])
  })
})

describe('rewriteHeaders and responseHeaders', () => {
  test('make what the client gets, and never the framing', async () => {
    const app = newApp()
    await app.register(limpet, {
      ...poolOf(await startBackend('w1')),
      rewriteHeaders: (headers, { url }) => ({
        ...headers,
        'content-length': '1',
        'Content-Length': '2',
        'transfer-encoding': 'chunked',
        'x-url': url,
      }),
      responseHeaders: { set: { 'X-Gateway': 'shop' }, remove: ['Content-Type'] },
    })
    const answer = await ask(await listen(app), { path: '/x' })
    expect(JSON.parse(answer.text)).toMatchObject({ id: 'w1' })
    expect(
      ['x-url', 'x-gateway', 'content-type', 'transfer-encoding'].map(name => answer.header(name)),
    ).toEqual(['/x', 'shop', undefined, undefined])
    expect(answer.cookies('SERVERID')).toHaveLength(1)
  })

  test.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
    ],
    ['returns nothing', () => undefined as never],
    ['returns a line that cannot be written', () => ({ 'x-a': 'a\r\nb: c' }) as never],
  ])('that %s is 500, and nothing is in flight', async (_, rewriteHeaders) => {
    const affinity = createAffinity(poolOf(await startBackend('w1')))
    const app = newApp()
    await app.register(limpet, { use: affinity, rewriteHeaders })
    const port = await listen(app)
    const answer = await ask(port)
    expect([answer.status, answer.complete]).toEqual([500, true])
    expect(affinity.pool.find('w1')?.inFlight).toBe(0)
    expect((await ask(port)).status).toBe(500)
  })
})

describe('onResponse', () => {
  test('sends the reply itself', async () => {
    const app = newApp()
    await app.register(limpet, {
      ...poolOf(await startBackend('w1')),
      onResponse: (_request, reply, { statusCode, headers, stream }) => {
        void reply.header('x-seen', `${statusCode} ${String(headers['content-type'])}`).send(stream)
      },
    })
    const answer = await ask(await listen(app), { method: 'POST', body: 'abc' })
    expect([answer.header('x-seen'), answer.echo.bytes]).toEqual(['200 application/json', 3])
  })

  test.each([false, true])('that throws is an error of the application; body asked for: %j', async asks => {
    const affinity = createAffinity(poolOf(await startBackend('w1')))
    const app = newApp()
    await app.register(limpet, {
      use: affinity,
      onResponse: (_request, _reply, response) => {
        if (asks) void response.stream
        throw new Error('mine')
      },
    })
    const port = await listen(app)
    expect((await ask(port)).status).toBe(500)
    expect(affinity.pool.find('w1')?.inFlight).toBe(0)
  })
})

describe('onError', () => {
  test('sends the reply itself', async () => {
    const w1 = await startBackend('w1')
    await w1.refuse()
    const app = newApp()
    await app.register(limpet, {
      ...poolOf(w1),
      onError: (reply, { error }) => {
        void reply.code(502).send({ mine: error.name })
      },
    })
    const answer = await ask(await listen(app))
    expect([answer.status, JSON.parse(answer.text)]).toEqual([502, { mine: 'BackendFailedError' }])
  })

  test('that throws is an error of the application', async () => {
    const app = newApp()
    await app.register(limpet, {
      ...poolOf(),
      onError: () => {
        throw Object.assign(new Error('mine'), { statusCode: 418 })
      },
    })
    expect((await ask(await listen(app))).status).toBe(418)
  })
})

test.each(['rewriteRequestHeaders', 'rewriteHeaders', 'onResponse', 'onError'])(
  '%s takes a function only',
  async option => {
    const wrong = { ...poolOf(), [option]: 'text' } as ReturnType<typeof poolOf>
    await expect(newApp().register(limpet, wrong)).rejects.toMatchObject({ option })
  },
)
