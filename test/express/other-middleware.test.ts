import { limpet } from '@limpet/express'
import type { Request } from 'express'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask, open, readToEnd } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { echoWith, resetBeforeHead } from '../support/scripts.ts'
import { EXPRESSES, noting, pool } from '../support/express-app.ts'

describe.each(EXPRESSES)('mounted in %s', (_version, express) => {
  describe('with `trust proxy`', () => {
    const CLAIM = { 'X-Forwarded-For': '192.0.2.9', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'b' }

    test.each([true, 1, 'loopback', () => true])(
      'set to %s, it believes no client all the same',
      async trust => {
        const w1 = await startBackend('w1')
        let seen: Request | undefined
        const app = express()
          .set('trust proxy', trust)
          .use((request, _response, next) => {
            seen = request
            next()
          })
          .use(limpet(poolOf(w1)))
        const answer = await ask(await serve(app), { headers: CLAIM })
        expect([seen?.ip, seen?.protocol], 'the app does').toEqual(['192.0.2.9', 'https'])
        expect(valuesOf(w1.last.lines, 'x-forwarded-for')).toEqual(['127.0.0.1'])
        expect(valuesOf(w1.last.lines, 'x-forwarded-proto')).toEqual(['http'])
        expect(answer.cookies()[0]).not.toContain('Secure')
      },
    )

    test('not set, it believes those that its own trustProxy names', async () => {
      const w1 = await startBackend('w1')
      const app = express().use(limpet({ ...poolOf(w1), trustProxy: ['127.0.0.1'] }))
      const answer = await ask(await serve(app), { headers: CLAIM })
      expect(valuesOf(w1.last.lines, 'x-forwarded-for')).toEqual(['192.0.2.9, 127.0.0.1'])
      expect(valuesOf(w1.last.lines, 'x-forwarded-proto')).toEqual(['https'])
      expect(answer.cookies()[0]).toContain('; Secure')
    })
  })

  describe('after other middleware', () => {
    test("its headers and cookies reach the client beside the backend's, each cookie a line", async () => {
      const w1 = await startBackend('w1', echoWith(200, { 'Set-Cookie': ['c=3', 'd=4'], 'X-Backend': '1' }))
      const app = express()
        .use((_request, response, next) => {
          response.setHeader('Content-Security-Policy', "default-src 'self'")
          response.cookie('a', '1').append('Set-Cookie', 'b=2; Path=/').vary('Origin')
          next()
        })
        .use(limpet(poolOf(w1)))
      const answer = await ask(await serve(app))
      expect(answer.header('content-security-policy')).toBe("default-src 'self'")
      expect([answer.header('vary'), answer.header('x-backend')]).toEqual(['Origin', '1'])
      const cookies = valuesOf(answer.lines, 'set-cookie').map(line =>
        line.split(';')[0]?.replace(/ID=.*/, 'ID'),
      )
      expect(cookies).toEqual(['a=1', 'b=2', 'c=3', 'd=4', 'SERVERID'])
    })

    test('the backend has the last word on a field that both set', async () => {
      const w1 = await startBackend('w1', echoWith(200, { 'Cache-Control': 'private', 'X-Two': ['1', '2'] }))
      const app = express()
        .use((_request, response, next) => {
          response.status(418).set({ 'Cache-Control': 'public', 'X-Two': '0' })
          next()
        })
        .use(limpet(poolOf(w1)))
      const answer = await ask(await serve(app))
      expect([answer.status, answer.header('cache-control')]).toEqual([200, 'private'])
      expect(valuesOf(answer.lines, 'x-two')).toEqual(['1', '2'])
    })

    test('which refuses, no backend hears of it', async () => {
      const w1 = await startBackend('w1')
      const app = express()
        .use((request, response, next) => {
          if (request.headers.authorization === undefined) response.status(401).send('who are you?')
          else next()
        })
        .use(limpet(poolOf(w1)))
      const port = await serve(app)
      const refused = await ask(port, { method: 'POST', body: 'x'.repeat(100_000) })
      expect([refused.status, refused.text, refused.cookies()]).toEqual([401, 'who are you?', []])
      expect(w1.connections).toBe(0)
      expect((await ask(port, { headers: { Authorization: 'me' } })).echo.id).toBe('w1')
    })

    test.each([
      ['has an answer', echoWith(200), 0],
      ['fails', resetBeforeHead, 1],
    ])(
      'which responds before the backend %s, its response is left alone and no error is reported',
      async (_, script, failures) => {
        const late = Promise.withResolvers<void>()
        const w1 = await startBackend('w1', async exchange => {
          await late.promise
          await script(exchange)
        })
        const { affinity, handler } = pool([w1])
        const told: unknown[] = []
        const answering = Promise.withResolvers<() => void>()
        const app = express()
          .use((_request, response, next) => {
            response.type('text').write('tired ')
            answering.resolve(() => response.end('of waiting'))
            next()
          })
          .use(handler, () => void told.push('next'))
          .use(noting(told))
        const opened = await open(await serve(app))
        const seen = await w1.arrival()
        late.resolve()
        await seen.over
        // An app that does not want a response does not read it, either.
        await expect.poll(() => [w1.sockets.size, affinity.pool.find('w1')?.failures]).toEqual([0, failures])
        const finish = await answering.promise
        finish()
        expect(Buffer.concat(await readToEnd(opened)).toString()).toBe('tired of waiting')
        expect([opened.message.complete, opened.message.headers['set-cookie'], told]).toEqual([
          true,
          undefined,
          [],
        ])
        await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
      },
    )
  })
})
