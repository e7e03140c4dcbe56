import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { limpet, type LimpetOptions } from '@limpet/koa'
import type { Middleware } from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { namedPool, poolOf } from '../support/fastify-app.ts'
import { joinedValue } from '../support/header-lines.ts'
import { ask, open } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { openRaw } from '../support/raw-client.ts'
import { echoWith } from '../support/scripts.ts'
import { handshakeText } from '../support/upgrade-clients.ts'
import { after, appOf, mount, pool, start } from '../support/koa-app.ts'

describe('in an app', () => {
  test('unmatched requests go to the next middleware, or get 404', async () => {
    const w1 = await startBackend('w1')
    const filter: LimpetOptions['filter'] = ({ headers }) => headers['x-api'] !== undefined
    const port = await start(limpet({ ...poolOf(w1), filter }), async (ctx, next) => {
      if (ctx.path === '/own') ctx.body = `own ${String(await buffer(ctx.req))}`
      else await next()
    })
    expect((await ask(port, { path: '/own', headers: { 'X-Api': '1' } })).echo.url).toBe('/own')
    const own = await ask(port, { method: 'POST', path: '/own', body: 'body' })
    expect([own.text, own.cookies()]).toEqual(['own body', []])
    expect((await ask(port, { path: '/none' })).status).toBe(404)
    expect(w1.seen).toHaveLength(1)
  })

  test('what is its own goes no further', async () => {
    const called: unknown[] = []
    const port = await start(limpet(poolOf(await startBackend('w1'))), () => void called.push('next'))
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) await ask(port, { method })
    expect(called).toEqual([])
  })

  test('its filter gets the context of Koa, and none for a handshake', async () => {
    const seen: unknown[] = []
    const filter: LimpetOptions['filter'] = (_request, ctx) => {
      seen.push(ctx?.get('x-api'), ctx?.query['y'])
      return true
    }
    const handler = limpet({ ...poolOf(await startBackend('w1')), filter })
    const listener = appOf(handler).app.callback()
    const server = createServer((...of) => void listener(...of)).on('upgrade', handler.upgrade)
    onTestFinished(() => {
      handler.close()
      server.close().closeAllConnections()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    expect((await ask(port, { path: '/x?y=1', headers: { 'X-Api': '7' } })).status).toBe(200)
    const client = await openRaw(port)
    client.write(handshakeText())
    await client.until(received => received.includes('\r\n\r\n'))
    expect(seen).toEqual(['7', '1', undefined, undefined])
  })

  test('mounted at a path, its filter is asked about the whole, and the next middleware’s is cut', async () => {
    const seen: unknown[] = []
    const filter: LimpetOptions['filter'] = ({ url = '' }) => {
      seen.push(url)
      return url.startsWith('/a/ours')
    }
    const ours = limpet({ ...poolOf(await startBackend('w1')), filter })
    const port = await start(mount('/a', async ctx => ours(ctx, async () => void seen.push(ctx.url))))
    expect((await ask(port, { path: '/a/ours?x' })).echo.url).toBe('/a/ours?x')
    await ask(port, { path: '/a/theirs' })
    expect(seen).toEqual(['/a/ours?x', '/a/theirs', '/theirs'])
  })

  test('mounted at a path, backends see the whole', async () => {
    const seen: string[] = []
    const look = after(ctx => seen.push(ctx.path, ctx.originalUrl))
    const port = await start(look, mount('/a', mount('/b', limpet(poolOf(await startBackend('w1'))))))
    for (const path of ['/a/b', '/a/b/', '/a/b/c?d=1&e=%2f', '/a/b//x']) {
      expect((await ask(port, { path })).echo.url).toBe(path)
    }
    for (const path of ['/', '/a', '/a/bc', '/b']) expect((await ask(port, { path })).status).toBe(404)
    expect(seen.slice(4, 6)).toEqual(['/a/b/c', '/a/b/c?d=1&e=%2f'])
  })

  test('a url that earlier middleware has written is what backends see [B2]', async () => {
    const handler = limpet(poolOf(await startBackend('w1')))
    const rewrite =
      (from: RegExp, to: string): Middleware =>
      (ctx, next) => {
        ctx.url = ctx.url.replace(from, to)
        return next()
      }
    const within: Middleware = (ctx, next) => rewrite(/^\/v1/, '/v2')(ctx, () => handler(ctx, next))
    const falls: Middleware = (_ctx, next) => next()
    const port = await start(
      rewrite(/^\/old/, '/new'),
      rewrite(/^\/strip/, ''),
      mount('/falls', falls),
      mount('/shop', within),
      handler,
    )
    const paths = [
      ['/old/x?y=%2f', '/new/x?y=%2f'],
      ['/old', '/new'],
      ['/strip/x', '/x'],
      ['/falls/x', '/falls/x'],
      ['/strip/falls/x', '/falls/x'],
      ['/shop/v1/x?y', '/shop/v2/x?y'],
      ['/shop/x', '/shop/x'],
      ['/shop', '/shop'],
      ['/shop?x', '/shop?x'],
    ]
    for (const [path = '', expected] of paths) expect((await ask(port, { path })).echo.url).toBe(expected)
  })

  test.each(['new', '', '/a b', '/a\r\nX-Evil: 1', 'http://evil.test/', '*'])(
    'a url of %j is an error of the application [B2]',
    async url => {
      const w1 = await startBackend('w1')
      const handler = limpet(poolOf(w1))
      const errors: unknown[] = []
      const port = await start(async (ctx, next) => {
        ctx.url = url
        await handler(ctx, next).catch((error: unknown) => {
          errors.push(error)
          throw error
        })
      })
      expect((await ask(port)).status).toBe(500)
      expect(errors).toEqual([expect.objectContaining({ code: 'ERR_INVALID_EDIT', field: 'url' })])
      expect(w1.seen).toEqual([])
    },
  )

  test('two pools have a session each in one browser', async () => {
    const [a1, a2, b1, b2] = await startBackends('a1', 'a2', 'b1', 'b2')
    const port = await start(
      mount('/one', limpet(namedPool('one', a1, a2))),
      mount('/two', limpet(namedPool('two', b1, b2))),
    )
    const browser = new Browser(port)
    expect([await browser.visit('/one'), await browser.visit('/two')]).toEqual(['a1', 'b1'])
    // In turn it would be the other ones'.
    for (let visit = 0; visit < 3; visit += 1) {
      expect([await browser.visit('/one'), await browser.visit('/two')]).toEqual(['a1', 'b1'])
    }
  })

  describe('with `proxy`', () => {
    const CLAIM = { 'X-Forwarded-For': '192.0.2.9', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'b' }

    async function asked(isProxy: boolean, options: Partial<LimpetOptions>) {
      const w1 = await startBackend('w1')
      const told: unknown[] = []
      const look = after(ctx => told.push(ctx.ip, ctx.protocol))
      const { app } = appOf(look, limpet({ ...poolOf(w1), ...options }))
      app.proxy = isProxy
      const answer = await ask(await serve(app.callback()), { headers: CLAIM })
      const value = (name: string) => joinedValue(w1.last.lines, name)
      const isSecure = answer.cookies()[0]?.includes('; Secure')
      return { told, seen: [value('x-forwarded-for'), value('x-forwarded-proto'), isSecure] }
    }

    test('set, it believes no client all the same', async () => {
      const { told, seen } = await asked(true, {})
      expect(told, 'the app does').toEqual(['192.0.2.9', 'https'])
      expect(seen).toEqual(['127.0.0.1', 'http', false])
    })

    test('not set, it believes those that its own trustProxy names', async () => {
      const { told, seen } = await asked(false, { trustProxy: ['127.0.0.1'] })
      expect(told).toEqual(['127.0.0.1', 'http'])
      expect(seen).toEqual(['192.0.2.9, 127.0.0.1', 'https', true])
    })
  })

  test('which answers by itself, it adds nothing', async () => {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const responded: Middleware = async (ctx, next) => {
      ctx.respond = false
      ctx.res.setHeader('x-app', '1').end('own')
      await once(ctx.res, 'close')
      await next()
    }
    const { app, errors } = appOf(responded, middleware)
    const answer = await ask(await serve(app.callback()))
    expect([answer.text, answer.header('x-app'), answer.cookies()]).toEqual(['own', '1', []])
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 0 })
    expect([errors, w1.seen]).toEqual([[], []])
  })

  test('which gets tired of waiting and answers, its answer is left alone', async () => {
    const late = Promise.withResolvers<void>()
    const w1 = await startBackend('w1', async exchange => {
      await late.promise
      await echoWith(200)(exchange)
    })
    const { affinity, middleware } = pool([w1])
    const answering = Promise.withResolvers<() => void>()
    const tired: Middleware = async (ctx, next) => {
      ctx.respond = false
      ctx.res.write('tired ')
      answering.resolve(() => void ctx.res.end('of waiting'))
      await next()
    }
    const { app, errors } = appOf(tired, middleware)
    const opened = await open(await serve(app.callback()))
    const seen = await w1.arrival()
    late.resolve()
    await seen.over
    // An app that does not want a response does not read it, either.
    await expect.poll(() => w1.sockets.size).toBe(0)
    const finish = await answering.promise
    finish()
    expect(await buffer(opened.message)).toEqual(Buffer.from('tired of waiting'))
    expect([opened.message.headers['set-cookie'], errors]).toEqual([undefined, []])
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 0 })
  })

  test('close ends the idle connections at once', async () => {
    const w1 = await startBackend('w1')
    const { middleware } = pool([w1])
    const port = await start(middleware)
    expect((await ask(port)).echo.id).toBe('w1')
    const closings = [...w1.sockets].map(async socket => once(socket, 'close'))
    expect(closings).toHaveLength(1)
    const begun = performance.now()
    middleware.close()
    await Promise.all(closings)
    // Left to themselves they would go after four seconds.
    expect(performance.now() - begun).toBeLessThan(1_000)
  })

  test('a wrong option is told at once', () => {
    const wrong: object = { ...poolOf(), balance: 'sticky' }
    expect(() => limpet(wrong as LimpetOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'balance' }),
    )
    const filter: object = { ...poolOf(), filter: '/api' }
    expect(() => limpet(filter as LimpetOptions)).toThrow(expect.objectContaining({ option: 'filter' }))
  })
})
