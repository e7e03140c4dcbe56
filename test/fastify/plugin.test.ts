import replyFrom from '@fastify/reply-from'
import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { listen, namedPool, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'

describe('several pools in one app', () => {
  test('each has its routes and its sessions, though their cookies have one name', async () => {
    const backends = await startBackends('a1', 'a2', 'b1', 'b2')
    const [a1, a2, b1, b2] = backends
    const app = newApp()
    for (const [prefix, ...members] of [['/a', a1, a2] as const, ['/b', b1, b2] as const]) {
      await app.register(limpet, {
        ...poolOf(...members),
        name: prefix.slice(1),
        prefix,
        affinity: [{ cookie: { path: prefix } }],
      })
    }
    const port = await listen(app)
    const [first, second] = [await ask(port, { path: '/a/x' }), await ask(port, { path: '/b/x' })]
    expect([first.echo.id, second.echo.id]).toEqual(['a1', 'b1'])
    expect(first.cookies()).toEqual([expect.stringMatching(/^SERVERID=[^;]+; Path=\/a;/)])
    expect(second.cookies()).toEqual([expect.stringMatching(/^SERVERID=[^;]+; Path=\/b;/)])
    const cookie = first.cookies()[0]?.split(';')[0]
    // The first pool's cookie says nothing to the second, though it may well come there.
    const kept = await ask(port, { path: '/a/y', headers: { Cookie: cookie } })
    const other = await ask(port, { path: '/b/y', headers: { Cookie: cookie } })
    expect([kept.echo.id, kept.cookies()]).toEqual(['a1', []])
    expect([other.echo.id, other.cookies('SERVERID').length]).toEqual(['b2', 1])
  })

  test('a client has a session in each, by cookies of different names', async () => {
    const [a1, a2, b1, b2] = await startBackends('a1', 'a2', 'b1', 'b2')
    const app = newApp()
    await app.register(limpet, { ...namedPool('one', a1, a2), prefix: '/one' })
    await app.register(limpet, { ...namedPool('two', b1, b2), prefix: '/two' })
    const browser = new Browser(await listen(app))
    const [one, two] = [await browser.visit('/one'), await browser.visit('/two')]
    expect([...browser.cookies.keys()]).toEqual(['one', 'two'])
    // In turn it would be the other ones'.
    for (let visit = 0; visit < 3; visit += 1) {
      expect([await browser.visit('/one'), await browser.visit('/two')]).toEqual([one, two])
    }
  })

  test.each([
    ['of one name, both everywhere', {}, {}],
    ['of one name, the one below the other', { name: 'x' }, { name: 'x', path: '/b' }],
  ])('two cookies %s, are refused [T-04]', async (_, one, two) => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(), name: 'first', prefix: '/a', affinity: [{ cookie: one }] })
    const second = { ...poolOf(), name: 'second', prefix: '/b', affinity: [{ cookie: two }] }
    await expect(app.register(limpet, second)).rejects.toMatchObject({
      name: 'OptionError',
      option: 'cookie.name of pool second',
      message: expect.stringContaining('the cookie of pool first does not have'),
    })
  })

  test('two cookies of one name are refused in scopes that know nothing of each other [T-04]', async () => {
    const app = newApp()
    await app.register(async scope => scope.register(limpet, { ...poolOf(), name: 'first', prefix: '/a' }))
    const second = app.register(async scope => {
      await scope.register(limpet, { ...poolOf(), name: 'second', prefix: '/b' })
    })
    await expect(second).rejects.toMatchObject({ option: 'cookie.name of pool second' })
  })

  test('two apps of one process may each have the same cookie', async () => {
    for (const backend of await startBackends('w1', 'w2')) {
      const app = newApp()
      await app.register(limpet, poolOf(backend))
      expect((await ask(await listen(app))).echo.id).toBe(backend.id)
    }
  })

  test('an affinity that is mounted twice is one pool, and a session holds in both places', async () => {
    const affinity = createAffinity(poolOf(...(await startBackends('w1', 'w2', 'w3'))))
    const app = newApp()
    await app.register(limpet, { use: affinity, prefix: '/a' })
    await app.register(limpet, { use: affinity, prefix: '/b', timeouts: { response: '1s' } })
    const browser = new Browser(await listen(app))
    const ids = [await browser.visit('/a'), await browser.visit('/b'), await browser.visit('/a')]
    expect(ids).toEqual(['w1', 'w1', 'w1'])
    expect(affinity.pool.find('w1')?.requests).toBe(3)
  })
})

describe('prefix', () => {
  test('the routes are below it, and backends see the whole path', async () => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startBackend('w1')), prefix: '/api' })
    const port = await listen(app)
    for (const path of ['/api', '/api/', '/api/x/y?z=1', '/api//x']) {
      expect((await ask(port, { path })).echo.url).toBe(path)
    }
    for (const path of ['/', '/apix', '/ap', '/x/api']) expect((await ask(port, { path })).status).toBe(404)
  })

  test("it comes after the prefix of Fastify's own scopes", async () => {
    const app = newApp()
    const pool = poolOf(await startBackend('w1'))
    await app.register(async scope => scope.register(limpet, { ...pool, prefix: '/b' }), { prefix: '/a' })
    const port = await listen(app)
    expect((await ask(port, { path: '/a/b/c?d' })).echo.url).toBe('/a/b/c?d')
    expect((await ask(port, { path: '/b/c' })).status).toBe(404)
    expect((await ask(port, { path: '/a/c' })).status).toBe(404)
  })

  test("without one, everything but the app's own routes is the pool's", async () => {
    const app = newApp()
    app.get('/health', () => 'well')
    await app.register(limpet, poolOf(await startBackend('w1')))
    app.get('/late', () => 'too')
    const port = await listen(app)
    expect((await ask(port, { path: '/health' })).text).toBe('well')
    expect((await ask(port, { path: '/late' })).text).toBe('too')
    expect((await ask(port, { path: '/healthy' })).echo.url).toBe('/healthy')
    expect((await ask(port, { path: '/health', method: 'POST' })).echo.method).toBe('POST')
  })
})

describe('an app around it', () => {
  /** All that a reply and a request of the app's own have. */
  async function visibleTo(prepare: (app: FastifyInstance) => Promise<unknown>): Promise<unknown> {
    const app = newApp()
    await prepare(app)
    let seen: unknown
    app.get('/own', (request, reply) => {
      seen = [keysOf(request), keysOf(reply), keysOf(app)]
      return 'seen'
    })
    expect((await app.inject('/own')).body).toBe('seen')
    return seen
  }

  function keysOf(value: object): readonly string[] {
    const keys: string[] = []
    for (const key in value) keys.push(key)
    return keys.toSorted()
  }

  test('finds no decorator that it has not asked for', async () => {
    const without = await visibleTo(async () => undefined)
    const within = await visibleTo(async app => app.register(limpet, { ...poolOf(), prefix: '/x' }))
    expect(within).toEqual(without)
    const asked = await visibleTo(async app => app.register(limpet, { ...poolOf(), routes: false }))
    expect(asked).not.toEqual(without)
  })

  test('keeps its body parsers and its way to show an error', async () => {
    const app = newApp()
    app.post('/own', request => ({ parsed: request.body }))
    app.get('/broken', () => {
      throw Object.assign(new Error('mine'), { code: 'E_MINE' })
    })
    await app.register(limpet, poolOf(await startBackend('w1')))
    const port = await listen(app)
    const headers = { 'Content-Type': 'application/json' }
    const answer = await ask(port, { method: 'POST', path: '/own', headers, body: '{ "a": 1 }' })
    expect(JSON.parse(answer.text)).toEqual({ parsed: { a: 1 } })
    expect(JSON.parse((await ask(port, { path: '/broken' })).text)).toMatchObject({ code: 'E_MINE' })
  })

  test.each(['before', 'after'])(
    'keeps the reply-from that it registered %s, with its options',
    async when => {
      const [own, w1] = await startBackends('own', 'w1')
      const app = newApp()
      const options = { base: `http://127.0.0.1:${own.port}`, disableRequestLogging: true }
      if (when === 'before') await app.register(replyFrom, options)
      await app.register(limpet, { ...poolOf(w1), prefix: '/pool' })
      if (when === 'after') await app.register(replyFrom, options)
      app.get('/own', (_request, reply) => {
        reply.from('/elsewhere')
      })
      const port = await listen(app)
      for (let time = 0; time < 2; time += 1) {
        expect((await ask(port, { path: '/own' })).echo).toMatchObject({ id: 'own', url: '/elsewhere' })
        expect((await ask(port, { path: '/pool' })).echo).toMatchObject({ id: 'w1', url: '/pool' })
      }
    },
  )

  test('is told at once of a wrong option', async () => {
    const wrong = { ...poolOf(), balance: 'sticky' } as object as ReturnType<typeof poolOf>
    await expect(newApp().register(limpet, wrong)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'balance',
    })
  })
})
