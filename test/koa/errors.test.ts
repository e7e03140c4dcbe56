import { Agent } from 'node:http'
import { isAffinityError } from '@limpet/core'
import { limpet } from '@limpet/koa'
import type { Middleware } from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import { startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask, type Asked } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { hasReachedNoBackend, OWN_ERRORS, type Prepare } from '../support/own-errors.ts'
import { openRaw } from '../support/raw-client.ts'
import { bare, echoWith, hang, resetMidBody } from '../support/scripts.ts'
import { appOf, pool, start } from '../support/koa-app.ts'

describe('errors', () => {
  async function failure(prepare: Prepare, asked: Asked, ...outer: readonly Middleware[]) {
    const backend = await startBackend('w1')
    const { affinity, middleware } = pool([backend], { timeouts: { response: 200 }, bodyLimit: 100 })
    const { app, errors } = appOf(...outer, middleware)
    const port = await serve(app.callback())
    await prepare({ backend, affinity })
    return { answer: await ask(port, asked), errors }
  }

  test.each(OWN_ERRORS)(
    'can be caught by outer middleware: %s, %i',
    async (name, status, code, prepare, asked) => {
      const { answer, errors } = await failure(prepare, asked, async (ctx, next) => {
        try {
          await next()
        } catch (error) {
          if (!isAffinityError(error)) throw error
          const { message, stack, expose, headers } = error
          ctx.status = error.status
          ctx.set(headers)
          ctx.body = { code: error.code, statusCode: error.statusCode, message, stack, expose, headers }
        }
      })
      expect(answer.status).toBe(status)
      const shown = JSON.parse(answer.text)
      expect(shown).toMatchObject({ code, statusCode: status, expose: true })
      expect(shown.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      expect(shown.message).not.toMatch(/127\.0\.0\.1|localhost|:\d|E[A-Z]{4,}|\n|w1/)
      expect(shown.stack).toMatch(/\n +at /)
      expect([answer.header('retry-after'), errors]).toEqual([
        hasReachedNoBackend(name) ? '1' : undefined,
        [],
      ])
    },
  )

  test.each(OWN_ERRORS)(
    'that no middleware catches come to the app, and %s is %i',
    async (name, status, code, prepare, asked) => {
      const addCookie: Middleware = async (ctx, next) => {
        ctx.cookies.set('a', '1')
        await next()
      }
      const { answer, errors } = await failure(prepare, asked, addCookie)
      expectOwnAnswer(answer, status)
      expect(answer.header('retry-after')).toBe(hasReachedNoBackend(name) ? '1' : undefined)
      expect(answer.header('content-type')).toBe('text/plain; charset=utf-8')
      expect(answer.text).not.toMatch(/\bat\b|w1|\n/)
      expect(errors).toEqual([expect.objectContaining({ status, statusCode: status, code })])
    },
  )

  test('a client that is still sending is told at once', async () => {
    const port = await start(limpet(poolOf()))
    const client = await openRaw(port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nfirst')
    await client.until(received => received.includes('no backend is available'))
    expect(client.received).toMatch(/^HTTP\/1\.1 503 /)
  })

  test('an answer that is cut in the middle reaches the client as one that is cut', async () => {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const port = await start(middleware)
    for (const framing of ['chunked', 'content-length'] as const) {
      w1.script = resetMidBody(framing)
      const answer = await ask(port)
      expect([answer.status, answer.text, answer.complete]).toEqual([200, '0123456789', false])
    }
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 2 })
  })

  test('there is none when a client leaves early', async () => {
    const w1 = await startBackend('w1', hang)
    const { affinity, middleware } = pool([w1])
    const left: unknown[] = []
    const { app, errors } = appOf(async (ctx, next) => {
      await next()
      left.push(ctx.body)
    }, middleware)
    const port = await serve(app.callback())
    const heads = [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst',
    ]
    for (const head of heads) {
      const client = await openRaw(port)
      client.write(head)
      const seen = await w1.arrival(w1.seen.length + 1)
      // Of a reset Koa hears by itself.
      client.socket.destroy()
      await seen.over
      expect(seen.aborted).toBe(true)
    }
    await expect.poll(() => left).toEqual([undefined, undefined])
    expect([errors, affinity.pool.find('w1')?.failures]).toEqual([[], 0])
  })

  test("an answer to HEAD, and one without a body, leave the backend's connection free for the next", async () => {
    const w1 = await startBackend('w1')
    const { affinity, middleware } = pool([w1])
    const port = await start(middleware)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const head = await ask(port, { method: 'HEAD', agent })
    expect([head.status, head.body.length, head.complete]).toEqual([200, 0, true])
    expect(Number(head.header('content-length'))).toBeGreaterThan(50)
    for (const status of [204, 205, 304]) {
      w1.script = bare(status, {
        'X-Backend': '1',
        ETag: '"1"',
        ...(status === 205 && { 'Content-Length': 0 }),
      })
      const answer = await ask(port, { agent })
      expect([answer.status, answer.header('x-backend'), answer.header('etag')]).toEqual([status, '1', '"1"'])
      expect([answer.body.length, answer.complete]).toEqual([0, true])
    }
    w1.script = echoWith(200)
    expect((await ask(port, { agent })).echo.id).toBe('w1')
    expect([w1.seen.length, w1.connections]).toEqual([5, 1])
    await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
  })
})
