import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import type { FastifyRequest } from 'fastify'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { valuesOf } from '../support/header-lines.ts'
import { echoWith } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'

const { raw } = upgradeClients()

describe("the app's edits", () => {
  test.each<[string, (request: FastifyRequest) => void]>([
    ['fields of request.raw', request => Object.assign(request.raw.headers, { 'x-user': 'alice' })],
    ['fields of request.headers', ({ headers }) => Object.assign(headers, { 'x-user': 'alice' })],
    [
      'request.headers itself',
      request => {
        request.headers = { ...request.headers, 'x-user': 'alice' }
      },
    ],
  ])('of %s are what the backend sees, in requests and in handshakes [B2]', async (_, edit) => {
    const w1 = await startTunnelBackend('w1')
    const app = newApp()
    app.addHook('preHandler', async request => edit(request))
    await app.register(limpet, poolOf(w1))
    const port = await listen(app)
    await ask(port, { headers: { 'X-User': 'mallory', 'X-A': '1' } })
    await raw(port, handshakeText('X-User: mallory', 'X-A: 1'))
    for (const { lines } of [w1.last, await w1.handshake()])
      expect([valuesOf(lines, 'x-user'), valuesOf(lines, 'x-a')]).toEqual([['alice'], ['1']])
  })

  test('hold for a body whose type is none [B2]', async () => {
    const w1 = await startBackend('w1')
    const seen: unknown[] = []
    const app = newApp()
    app.addHook('preHandler', async ({ headers }) => {
      seen.push(headers['content-type'])
      delete headers['x-user-id']
      headers['x-gateway-user'] = 'alice'
    })
    await app.register(limpet, poolOf(w1))
    const port = await listen(app)
    const asked: [string, string][] = [
      ['POST', 'hello'],
      ['GET', ''],
    ]
    for (const [method, body] of asked) {
      const headers = { 'Content-Type': 'not a type', 'X-User-Id': '1-spoofed' }
      expect((await ask(port, { method, headers, body })).echo.bytes).toBe(body.length)
      const names = ['content-type', 'x-user-id', 'x-gateway-user']
      expect(names.map(name => valuesOf(w1.last.lines, name))).toEqual([['not a type'], [], ['alice']])
    }
    expect(seen).toEqual(['not a type', 'not a type'])
  })

  test('of the url by rewriteUrl are what the backend sees [B2]', async () => {
    const w1 = await startBackend('w1')
    const app = newApp({ rewriteUrl: ({ url = '' }) => url.replace(/^\/old/, '/new') })
    await app.register(limpet, { ...poolOf(w1), prefix: '/new' })
    const port = await listen(app)
    expect((await ask(port, { path: '/old/x?y=%2f' })).echo.url).toBe('/new/x?y=%2f')
    expect((await ask(port, { path: '/new?x' })).echo.url).toBe('/new?x')
  })

  test('that cannot be sent come to its error handler, without the value [B2]', async () => {
    const w1 = await startBackend('w1')
    const errors: unknown[] = []
    const app = newApp({ rewriteUrl: ({ url = '' }) => url.replace('/old', '/a#b') })
    app.setErrorHandler(async (error, _request, reply) => {
      errors.push(error)
      await reply.code(500).send('sorry')
    })
    app.addHook('onRequest', async ({ headers, url }) => {
      if (url === '/header') headers['x-user'] = 'secret\r\n'
    })
    await app.register(limpet, poolOf(w1))
    const port = await listen(app)
    for (const path of ['/header', '/old']) expect((await ask(port, { path })).text).toBe('sorry')
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'ERR_INVALID_EDIT',
        statusCode: 500,
        field: 'headers.x-user',
        message:
          "the application's edit of headers.x-user cannot be sent: it has a character that no header may have (U+000D)",
      }),
      expect.objectContaining({ code: 'ERR_INVALID_EDIT', field: 'url' }),
    ])
    expect(w1.seen).toEqual([])
  })
})

describe("the app's hooks", () => {
  test.each(['onRequest', 'preHandler'] as const)(
    '%s may refuse a request before a backend is chosen',
    async name => {
      const w1 = await startBackend('w1')
      const affinity = createAffinity(poolOf(w1))
      const app = newApp()
      app.addHook(name, async (request, reply) => {
        if (request.headers.authorization === undefined) await reply.code(401).send('who are you?')
      })
      await app.register(limpet, { use: affinity })
      const port = await listen(app)
      for (const asked of [{}, { method: 'POST', body: 'x'.repeat(100_000) }]) {
        const refused = await ask(port, asked)
        expect([refused.status, refused.text, refused.cookies()]).toEqual([401, 'who are you?', []])
      }
      expect(affinity.pool.find('w1')).toMatchObject({ requests: 0, inFlight: 0 })
      expect(w1.connections).toBe(0)
      expect((await ask(port, { headers: { Authorization: 'me' } })).echo.id).toBe('w1')
      expect(affinity.pool.find('w1')?.requests).toBe(1)
    },
  )

  test('a limit of requests lets as many through as it wants', async () => {
    const affinity = createAffinity(poolOf(await startBackend('w1')))
    const app = newApp()
    let left = 2
    app.addHook('onRequest', (_request, reply, done) => {
      left -= 1
      if (left >= 0) done()
      else reply.code(429).header('retry-after', '7').send('slowly')
    })
    await app.register(limpet, { use: affinity })
    const port = await listen(app)
    const answers = [await ask(port), await ask(port), await ask(port), await ask(port)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429])
    expect(answers[3]?.header('retry-after')).toBe('7')
    expect(affinity.pool.find('w1')?.requests).toBe(2)
  })

  test('hooks of the scope that it is registered in are those that run', async () => {
    const app = newApp()
    const w1 = await startBackend('w1')
    await app.register(async scope => {
      scope.addHook('onRequest', (_request, reply, done) => {
        reply.header('x-scope', 'inner')
        done()
      })
      await scope.register(limpet, { ...poolOf(w1), prefix: '/in' })
    })
    app.get('/out', () => 'out')
    const port = await listen(app)
    const [inside, outside] = [await ask(port, { path: '/in' }), await ask(port, { path: '/out' })]
    expect([inside.header('x-scope'), outside.header('x-scope')]).toEqual(['inner', undefined])
  })

  test.each<[string, (backend: Backend) => void]>([
    [
      'short',
      backend => (backend.script = echoWith(200, { 'Set-Cookie': ['b=2', 'c=3'], 'X-Backend': '1' })),
    ],
    [
      'streamed',
      backend =>
        (backend.script = ({ response }) => {
          response.writeHead(200, { 'Set-Cookie': ['b=2', 'c=3'], 'X-Backend': '1' })
          response.write('x'.repeat(100_000), () => response.end('x'.repeat(100_000)))
        }),
    ],
  ])('what they add to the reply reaches the client beside the fields of a %s answer', async (_, prepare) => {
    const w1 = await startBackend('w1')
    prepare(w1)
    const app = newApp()
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('x-request', '1').header('set-cookie', 'a=1')
    })
    app.addHook('onSend', async (_request, reply) => {
      reply.header('x-send', '1').header('set-cookie', 'd=4')
    })
    await app.register(limpet, poolOf(w1))
    const answer = await ask(await listen(app))
    expect(answer.complete).toBe(true)
    for (const name of ['x-request', 'x-send', 'x-backend']) expect(answer.header(name)).toBe('1')
    const names = valuesOf(answer.lines, 'set-cookie').map(line => line.split('=')[0])
    expect(names).toEqual(['a', 'b', 'c', 'SERVERID', 'd'])
  })

  test('onSend may give another body for a short answer', async () => {
    const w1 = await startBackend('w1', ({ response }) => {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 4 }).end('mild')
    })
    const app = newApp()
    app.addHook('onSend', async (_request, reply, payload) => {
      const body = `${String(payload)}ly spiced`
      reply.header('content-length', body.length)
      return body
    })
    await app.register(limpet, poolOf(w1))
    const answer = await ask(await listen(app))
    expect([answer.status, answer.text]).toEqual([200, 'mildly spiced'])
  })

  test('onResponse runs once for a request, whichever handler responds', async () => {
    const w1 = await startBackend('w1')
    const affinity = createAffinity(poolOf(w1))
    const app = newApp()
    const responses: string[] = []
    app.addHook('onResponse', async (request, reply) => {
      responses.push(`${request.url} ${reply.statusCode}`)
    })
    await app.register(limpet, { use: affinity })
    const port = await listen(app)
    await ask(port, { path: '/answered' })
    await ask(port, { path: '/head', method: 'HEAD' })
    await ask(port, { path: '/posted', method: 'POST', body: 'x'.repeat(100_000) })
    w1.script = ({ response }) => void response.write('x', () => response.end('x'.repeat(200_000)))
    await ask(port, { path: '/streamed' })
    affinity.pool.setHealthy('w1', false)
    await ask(port, { path: '/empty' })
    // By the time that this one's turn has come, a second one of another would have been noted.
    expect((await app.inject('/last')).statusCode).toBe(503)
    await expect
      .poll(() => responses)
      .toEqual(['/answered 200', '/head 200', '/posted 200', '/streamed 200', '/empty 503', '/last 503'])
  })
})
