import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import multipart from '@fastify/multipart'
import { createAffinity } from '@limpet/core'
import { acceptAnyBody, limpet } from '@limpet/fastify'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { listen, namedPool, newApp, poolOf } from '../support/fastify-app.ts'
import { ask, open } from '../support/http-client.ts'
import { joinedValue } from '../support/header-lines.ts'
import { hang } from '../support/scripts.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }
/** A body that parsing and serializing would change. */
const SPACED = '{ "b" : 1.0,\n "a":"\\u0061" , "b":2 }'

describe('reply.limpet()', () => {
  test('forwards from a handler of the app', async () => {
    const affinity = createAffinity(poolOf(...(await startBackends('w1', 'w2'))))
    const app = newApp()
    await app.register(limpet, { use: affinity, routes: false })
    app.get('/cart/:id', (_request, reply) => {
      reply.limpet()
    })
    const port = await listen(app)
    const browser = new Browser(port)
    const first = await browser.ask({ path: '/cart/7?x=%2F' })
    expect(first.echo).toMatchObject({ id: 'w1', url: '/cart/7?x=%2F' })
    expect([await browser.visit('/cart/7'), await browser.visit('/cart/8')]).toEqual(['w1', 'w1'])
    expect((await ask(port, { path: '/' })).status).toBe(404)
    await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
  })

  test('may be returned by a handler, async or not, or by one that has waited', async () => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startBackend('w1')), routes: false })
    app.get('/plain', (_request, reply) => reply.limpet())
    app.get('/async', async (_request, reply) => reply.limpet())
    app.get('/awaited', async (_request, reply) => {
      await delay(5)
      return reply.limpet()
    })
    app.get('/pre', { preHandler: async (_request, reply) => reply.limpet() }, () => 'not this')
    const port = await listen(app)
    for (const path of ['/plain', '/async', '/awaited', '/pre']) {
      expect((await ask(port, { path })).echo).toMatchObject({ id: 'w1', url: path })
    }
    expect((await app.inject('/async')).json()).toMatchObject({ id: 'w1' })
  })

  test('in a scope with acceptAnyBody a body passes byte for byte, of whatever type', async () => {
    const w1 = await startBackend('w1')
    const app = newApp()
    await app.register(limpet, { ...poolOf(w1), routes: false })
    await app.register(async scope => {
      acceptAnyBody(scope)
      scope.post('/any', (_request, reply) => reply.limpet())
    })
    app.post('/own', request => ({ parsed: request.body }))
    const port = await listen(app)
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'not a type']) {
      const headers = { 'Content-Type': type }
      const answer = await ask(port, { method: 'POST', path: '/any', headers, body: SPACED })
      expect(answer.echo).toMatchObject({ id: 'w1', bytes: SPACED.length, sha256: sha256(SPACED) })
      expect(joinedValue(w1.last.lines, 'content-type')).toBe(type)
    }
    const own = await ask(port, { method: 'POST', path: '/own', headers: JSON_TYPE, body: '{"a":1}' })
    expect(JSON.parse(own.text)).toEqual({ parsed: { a: 1 } })
  })

  test.each([
    ['JSON', 'application/json', '{ "a" : [2.50, "\u00e9"] }', '{"a":[2.5,"\u00e9"]}'],
    ['JSON that is null', 'application/json', ' null ', 'null'],
    ['JSON that is false', 'application/json', 'false', 'false'],
    ['JSON that is an empty string', 'application/json', '""', '""'],
    ['text', 'text/plain', 'text', 'text'],
  ])('a body that was parsed as %s is written again with its own length', async (_, type, body, written) => {
    const w1 = await startBackend('w1')
    const app = newApp()
    await app.register(limpet, { ...poolOf(w1), routes: false })
    app.post('/', (_request, reply) => reply.limpet())
    const port = await listen(app)
    const chunked = [Buffer.from(body)]
    for (const sent of [body, chunked]) {
      const answer = await ask(port, { method: 'POST', headers: { 'Content-Type': type }, body: sent })
      expect(answer.echo).toMatchObject({ sha256: sha256(written), bytes: Buffer.byteLength(written) })
    }
  })

  test('a body that was parsed and cannot be written again is an error with the reason body_parsed', async () => {
    const affinity = createAffinity(poolOf(await startBackend('w1')))
    const app = newApp()
    await app.register(multipart, { attachFieldsToBody: true })
    await app.register(limpet, { use: affinity, routes: false })
    app.setErrorHandler((error: Error & { reason?: string }) => error.reason)
    app.post('/', (_request, reply) => reply.limpet())
    const body = '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--\r\n'
    const headers = { 'Content-Type': 'multipart/form-data; boundary=b' }
    const answer = await ask(await listen(app), { method: 'POST', headers, body })
    expect(answer.text).toBe('body_parsed')
    expect(affinity.pool.find('w1')?.requests).toBe(0)
  })

  test('without acceptAnyBody it forwards what no parser has touched', async () => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startBackend('w1')), routes: false })
    app.all('/', (_request, reply) => reply.limpet())
    const port = await listen(app)
    for (const method of ['GET', 'POST', 'DELETE']) {
      expect((await ask(port, { method })).echo).toMatchObject({ method, bytes: 0 })
    }
    // Fastify leaves the body of a GET alone.
    const answer = await ask(port, { method: 'GET', headers: { 'Content-Length': 5 }, body: 'hello' })
    expect(answer.echo).toMatchObject({ method: 'GET', sha256: sha256('hello') })
  })

  test('a body that a parser has kept as a buffer passes byte for byte', async () => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startBackend('w1')), routes: false })
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body)
    })
    app.post('/', (_request, reply) => reply.limpet())
    const port = await listen(app)
    for (const body of [SPACED, [Buffer.from(SPACED)]]) {
      const answer = await ask(port, { method: 'POST', headers: JSON_TYPE, body })
      expect(answer.echo).toMatchObject({ bytes: SPACED.length, sha256: sha256(SPACED) })
    }
  })

  test('two pools are told apart by their names', async () => {
    const app = newApp()
    await app.register(limpet, { ...namedPool('carts', await startBackend('c1')), routes: false })
    await app.register(limpet, { ...namedPool('search', await startBackend('s1')), routes: false })
    app.get('/carts', (_request, reply) => reply.limpet('carts'))
    app.get('/search', (_request, reply) => reply.limpet('search'))
    app.get('/default', (_request, reply) => reply.limpet())
    const port = await listen(app)
    const [carts, search] = [await ask(port, { path: '/carts' }), await ask(port, { path: '/search' })]
    expect([carts.echo.id, search.echo.id]).toEqual(['c1', 's1'])
    expect([carts.cookies('carts').length, search.cookies('search').length]).toEqual([1, 1])
    const none = await ask(port, { path: '/default' })
    expect(none.status).toBe(500)
    expect(JSON.parse(none.text)).toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: 'option pool got "default"; it takes one of carts, search',
    })
  })

  test('two pools of one name in one scope are refused', async () => {
    const app = newApp()
    await app.register(limpet, { ...namedPool('one'), name: 'same', routes: false })
    const second = app.register(limpet, { ...namedPool('two'), name: 'same', routes: false })
    await expect(second).rejects.toMatchObject({ option: 'name' })
  })

  test('a pool is known in its scope and below, and the nearest of a name is meant', async () => {
    const [outer, inner, lone] = await startBackends('outer', 'inner', 'lone')
    const app = newApp()
    await app.register(limpet, { ...namedPool('one', outer), name: 'default', routes: false })
    app.get('/outer', (_request, reply) => reply.limpet())
    app.get('/lone', (_request, reply) => reply.limpet('lone'))
    await app.register(async scope => {
      scope.get('/above', (_request, reply) => reply.limpet())
      await scope.register(limpet, { ...namedPool('lone', lone), routes: false })
      await scope.register(async below => {
        below.get('/below', (_request, reply) => reply.limpet('lone'))
      })
    })
    await app.register(async scope => {
      await scope.register(limpet, { ...namedPool('two', inner), name: 'default', routes: false })
      scope.get('/inner', (_request, reply) => reply.limpet())
    })
    const port = await listen(app)
    const ids = ['/outer', '/inner', '/above', '/below'].map(
      async path => (await ask(port, { path })).echo.id,
    )
    expect(await Promise.all(ids)).toEqual(['outer', 'inner', 'outer', 'lone'])
    expect((await ask(port, { path: '/lone' })).status, 'scopes are not searched').toBe(500)
  })

  test('a client that leaves before the handler forwards costs no backend anything', async () => {
    const w1 = await startBackend('w1', hang)
    const affinity = createAffinity(poolOf(w1))
    const app = newApp()
    await app.register(limpet, { use: affinity, routes: false })
    const [begun, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    app.get('/', async (_request, reply) => {
      reply.raw.once('close', gone.resolve)
      begun.resolve()
      await gone.promise
      return reply.limpet()
    })
    const port = await listen(app)
    const leaving = new AbortController()
    const left = open(port, { signal: leaving.signal }).catch(() => 'left')
    await begun.promise
    leaving.abort()
    expect(await left).toBe('left')
    await gone.promise
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ requests: 1, inFlight: 0 })
    expect(w1.seen).toEqual([])
  })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
