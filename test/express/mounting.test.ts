import type { IncomingMessage } from 'node:http'
import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/express'
import type { RequestHandler } from 'express'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { namedPool, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { EXPRESSES } from '../support/express-app.ts'

describe.each(EXPRESSES)('mounted in %s', (_version, express) => {
  describe('at a path', () => {
    test('it has what is below, and backends see the whole path', async () => {
      const app = express().use('/shop', limpet(poolOf(await startBackend('w1'))))
      const port = await serve(app)
      for (const path of ['/shop', '/shop/', '/shop/x/y?z=1&z=%2f', '/shop//x', '/SHOP/x']) {
        expect((await ask(port, { path })).echo.url).toBe(path)
      }
      for (const path of ['/', '/shopping', '/x/shop']) expect((await ask(port, { path })).status).toBe(404)
    })

    test('in a router in a router it is the same', async () => {
      const inner = express.Router().use('/b', limpet(poolOf(await startBackend('w1'))))
      const app = express().use('/a', express.Router().use('/:any', inner))
      const port = await serve(app)
      expect((await ask(port, { path: '/a/x/b/c?d=/e' })).echo.url).toBe('/a/x/b/c?d=/e')
      expect((await ask(port, { path: '/a/b' })).status).toBe(404)
    })

    test('a url that earlier middleware has written is what backends see, and the mount path with it [B2]', async () => {
      const seen: unknown[] = []
      const filter = ({ url = '' }: IncomingMessage): boolean => seen.push(url) > 0
      const handler = limpet({ ...poolOf(await startBackend('w1')), filter })
      const rewrite =
        (from: RegExp, to: string): RequestHandler =>
        (request, _response, next) => {
          request.url = request.url.replace(from, to)
          next()
        }
      const whole: RequestHandler = (request, _response, next) => {
        request.url = request.originalUrl
        next()
      }
      const app = express()
        .use(rewrite(/^\/old/, '/new'))
        .use('/shop', rewrite(/^\/v1/, '/v2'), handler)
        .use('/whole', whole, handler)
        .use(handler)
      const port = await serve(app)
      const paths = [
        ['/old/x?y=%2f', '/new/x?y=%2f'],
        ['/old', '/new'],
        ['/shop/v1/x?y', '/shop/v2/x?y'],
        ['/shop/v2', '/shop/v2'],
        ['/shop?x', '/shop?x'],
        ['/shop', '/shop'],
        ['/whole/x', '/whole/x'],
      ]
      for (const [path = '', expected] of paths) expect((await ask(port, { path })).echo.url).toBe(expected)
      expect(seen).toEqual(paths.map(([, expected]) => expected))
    })

    test.each(['new', '', '/a b', '/a\r\nX-Evil: 1', 'http://evil.test/', '*'])(
      'a url of %j is an error of the application [B2]',
      async url => {
        const errors: unknown[] = []
        const w1 = await startBackend('w1')
        const handler = limpet(poolOf(w1))
        const app = express().use((request, response) => {
          request.url = url
          handler(request, response, error => {
            errors.push(error)
            response.status(500).end()
          })
        })
        expect((await ask(await serve(app), { path: '/old' })).status).toBe(500)
        expect(errors).toEqual([
          expect.objectContaining({ code: 'ERR_INVALID_EDIT', field: 'url', statusCode: 500 }),
        ])
        expect(w1.seen).toEqual([])
      },
    )

    test('it may be one handler of a route, with others before it', async () => {
      const app = express().post(
        '/cart/:id',
        (request, response, next) => {
          response.setHeader('x-cart', String(request.params['id']))
          next()
        },
        limpet(poolOf(await startBackend('w1'))),
      )
      const port = await serve(app)
      const answer = await ask(port, { method: 'POST', path: '/cart/7?a', body: 'x' })
      expect(answer.echo).toMatchObject({ method: 'POST', url: '/cart/7?a', bytes: 1 })
      expect(answer.header('x-cart')).toBe('7')
      expect((await ask(port, { path: '/cart/7' })).status).toBe(404)
    })

    test('handlers after it see the request as it was', async () => {
      const seen: unknown[] = []
      const app = express()
        .use('/shop', limpet({ ...poolOf(await startBackend('w1')), filter: () => false }))
        .use(({ url, originalUrl, baseUrl, headers }, response) => {
          seen.push([url, originalUrl, baseUrl, headers.cookie])
          response.end()
        })
      await ask(await serve(app), { path: '/shop/x', headers: { Cookie: 'SERVERID=x; a=1' } })
      expect(seen).toEqual([['/shop/x', '/shop/x', '', 'SERVERID=x; a=1']])
    })
  })

  describe('several times', () => {
    test('two pools have a session each in one browser', async () => {
      const [a1, a2, b1, b2] = await startBackends('a1', 'a2', 'b1', 'b2')
      const app = express()
        .use('/one', limpet(namedPool('one', a1, a2)))
        .use('/two', limpet(namedPool('two', b1, b2)))
      const browser = new Browser(await serve(app))
      const [one, two] = [await browser.visit('/one'), await browser.visit('/two')]
      expect([one, two, ...browser.cookies.keys()]).toEqual(['a1', 'b1', 'one', 'two'])
      // In turn it would be the other ones'.
      for (let visit = 0; visit < 3; visit += 1) {
        expect([await browser.visit('/one'), await browser.visit('/two')]).toEqual([one, two])
      }
    })

    test('one affinity is one pool, and a session holds in both places', async () => {
      const affinity = createAffinity(poolOf(...(await startBackends('w1', 'w2', 'w3'))))
      const app = express()
        .use('/a', limpet({ use: affinity }))
        .use('/b', limpet({ use: affinity, timeouts: { response: '1s' } }))
      const browser = new Browser(await serve(app))
      const ids = [await browser.visit('/a'), await browser.visit('/b'), await browser.visit('/a')]
      expect(ids).toEqual(['w1', 'w1', 'w1'])
      expect(affinity.pool.find('w1')?.requests).toBe(3)
    })
  })
})
