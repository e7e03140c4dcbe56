import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Affinity } from '@limpet/core'
import { limpet as expressLimpet } from '@limpet/express'
import { limpet as koaLimpet } from '@limpet/koa'
import express, {
  type ErrorRequestHandler,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import Koa from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { openRaw } from '../support/raw-client.ts'

/** Middleware before limpet. @param next goes on, as often as it is called */
type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => unknown) => unknown

interface App {
  readonly port: number
  readonly affinity: Affinity
  readonly errors: readonly unknown[]
  /** The lines of the log. */
  readonly log: readonly string[]
}

/** Both frameworks with this middleware before limpet. */
const APPS: readonly [string, (w1: Backend, middleware: Middleware, times?: number) => Promise<App>][] = [
  [
    'express',
    async (w1, middleware, times = 1) => {
      const errors: unknown[] = []
      const log: string[] = []
      const logger = { info() {}, warn() {}, error: (line: string) => void log.push(line) }
      const handler = expressLimpet({ ...poolOf(w1), logger })
      onTestFinished(() => handler.close())
      const note: ErrorRequestHandler = (error, _request, _response, next) => {
        errors.push(error)
        next(error)
      }
      const several: RequestHandler = (...of) => {
        for (let time = 0; time < times; time += 1) void handler(...of)
      }
      const app = express()
        .set('env', 'test')
        .use(
          (request: Request, response: Response, next: NextFunction) =>
            void middleware(request, response, next),
        )
        .use(several, note)
      return { port: await serve(app), affinity: handler.affinity, errors, log }
    },
  ],
  [
    'koa',
    async (w1, middleware, times = 1) => {
      const errors: unknown[] = []
      const log: string[] = []
      const logger = { info() {}, warn() {}, error: (line: string) => void log.push(line) }
      const handler = koaLimpet({ ...poolOf(w1), logger })
      onTestFinished(() => handler.close())
      const app = new Koa().use(async (ctx, next) => {
        let last: unknown
        await middleware(ctx.req, ctx.res, () => (last = next()))
        await last
      })
      app.use(async (ctx, next) => {
        await Promise.all(Array.from({ length: times }, async () => handler(ctx, next)))
      })
      app.on('error', error => errors.push(error))
      return { port: await serve(app.callback()), affinity: handler.affinity, errors, log }
    },
  ],
]

describe.each(APPS)('middleware of %s', (name, start) => {
  test.each(['GET', 'POST'])('that has responded to a %s and goes on: no backend gets it', async method => {
    const w1 = await startBackend('w1')
    const { port, affinity, errors } = await start(w1, (_request, response, next) => {
      response.end('own')
      next()
    })
    const answer = await ask(port, { method, ...(method === 'POST' && { body: 'x' }) })
    expect([answer.text, answer.cookies()]).toEqual(['own', []])
    expect([w1.connections, affinity.pool.inFlight, errors]).toEqual([0, 0, []])
  })

  test('that destroys the socket and goes on: no backend gets the request', async () => {
    const w1 = await startBackend('w1')
    const went = Promise.withResolvers<void>()
    const { port, affinity } = await start(w1, (request, _response, next) => {
      request.socket.destroy()
      next()
      went.resolve()
    })
    const client = await openRaw(port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until(() => client.closed)
    await went.promise
    expect([client.received, w1.connections, affinity.pool.inFlight]).toEqual(['', 0, 0])
  })

  test.each(['GET', 'POST'])('that goes on twice with a %s: the client gets one response', async method => {
    const w1 = await startBackend('w1')
    const { port, affinity } = await start(w1, (_request, _response, next) => {
      next()
      next()
    })
    const answer = await ask(port, { method, ...(method === 'POST' && { body: 'abc' }) })
    // Koa tells the application, and Express goes on behind limpet.
    expect(answer.status).toBe(name === 'koa' ? 500 : 404)
    await expect.poll(() => affinity.pool.inFlight).toBe(0)
    expect([w1.seen.length <= 1, affinity.pool.find('w1')?.failures]).toEqual([true, 0])
  })

  test('that gives a request to limpet twice: one backend gets it, and the log says so', async () => {
    const w1 = await startBackend('w1')
    const { port, affinity, errors, log } = await start(w1, (_request, _response, next) => next(), 2)
    const answer = await ask(port, { method: 'POST', body: 'abc' })
    expect([answer.status, answer.echo.bytes, w1.seen.length]).toEqual([200, 3, 1])
    expect(log).toEqual([expect.stringMatching(/^limpet has this request already .*twice/)])
    await expect.poll(() => [affinity.pool.inFlight, errors]).toEqual([0, []])
  })
})
