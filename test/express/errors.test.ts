import { once } from 'node:events'
import type { ErrorRequestHandler, Express } from 'express'
import { describe, expect, test } from 'vitest'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import { startBackend } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask, type Asked, open } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { hasReachedNoBackend, OWN_ERRORS, type Prepare } from '../support/own-errors.ts'
import { openRaw, parseAnswers } from '../support/raw-client.ts'
import { hang, resetMidBody } from '../support/scripts.ts'
import { EXPRESSES, noting, pool } from '../support/express-app.ts'

describe.each(EXPRESSES)('mounted in %s', (_version, express) => {
  /** The response of an app, with this error handler or without. */
  async function failure(prepare: Prepare, asked: Asked, app: Express, show?: ErrorRequestHandler) {
    const backend = await startBackend('w1')
    const { affinity, handler } = pool([backend], { timeouts: { response: 200 }, bodyLimit: 100 })
    app.use(handler)
    if (show !== undefined) app.use(show)
    const port = await serve(app)
    await prepare({ backend, affinity })
    return ask(port, asked)
  }

  describe('an error handler of the app', () => {
    /** Shows all that one may look at, and what `err.headers` ask for. */
    const show: ErrorRequestHandler = (error, _request, response, _next) => {
      const { status, statusCode, code, message, headers, stack, expose, cause } = error
      response.status(status).set(headers)
      response.json({ status, statusCode, code, message, headers, stack, expose, trace: cause.stack })
    }

    // A client whose body is too large is told at once, as below.
    test.each(OWN_ERRORS.filter(([, status]) => status !== 413))(
      'is given %s: %i',
      async (name, status, code, prepare, asked) => {
        const answer = await failure(prepare, asked, express(), show)
        expect(answer.status).toBe(status)
        const shown = JSON.parse(answer.text)
        expect(shown).toMatchObject({ status, statusCode: status, code, expose: true })
        expect(shown.headers).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        })
        expect(shown.headers['retry-after']).toBe(hasReachedNoBackend(name) ? '1' : undefined)
        expect(`${shown.message} ${shown.stack}`).not.toMatch(/127\.0\.0\.1|localhost|:\d|E[A-Z]{4,}|\n|w1/)
        // For the log.
        expect(shown.trace).toMatch(/\n +at /)
        expect(answer.cookies()).toEqual([])
      },
    )

    test.each([
      [503, 100, 'no backend takes it'],
      [413, 1000, 'it is too large'],
    ])(
      'is not asked about a client that is still sending: that one is told at once, and hung up on: %i',
      async (status, length) => {
        const { affinity, handler } = pool([await startBackend('w1')], { bodyLimit: 999 })
        affinity.pool.setHealthy('w1', false)
        const told: unknown[] = []
        const client = await openRaw(await serve(express().use(handler, noting(told))))
        client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nfirst`)
        await client.until(() => client.closed)
        const [answer] = parseAnswers(client.received)
        expectOwnAnswer({ status: 0, lines: [], text: answer?.body ?? '', ...answer }, status)
        expect(valuesOf(answer?.lines ?? [], 'connection')).toEqual(['close'])
        expect([client.closed, told]).toEqual([true, []])
      },
    )

    test('hears nothing of a client that leaves early, wherever it was', async () => {
      const w1 = await startBackend('w1', hang)
      const { affinity, handler } = pool([w1])
      const called: unknown[] = []
      const app = express()
        .use(handler, () => void called.push('next'))
        .use(noting(called))
      const port = await serve(app)
      const heads = [
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst',
      ]
      for (const head of heads) {
        for (const leave of ['destroy', 'resetAndDestroy'] as const) {
          const client = await openRaw(port)
          client.write(head)
          const seen = await w1.arrival(w1.seen.length + 1)
          client.socket[leave]()
          await seen.over
          expect(seen.aborted).toBe(true)
        }
      }
      w1.script = ({ response }) => void response.write('data: 1\n\n')
      const opened = await open(port)
      await once(opened.message, 'data')
      opened.message.on('error', () => {}).destroy()
      await w1.last.over
      await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
      expect([called, affinity.pool.find('w1')?.failures]).toEqual([[], 0])
    })

    test('hears nothing of an answer that is cut in the middle: the client does', async () => {
      const w1 = await startBackend('w1', resetMidBody('chunked'))
      const { affinity, handler } = pool([w1])
      const called: unknown[] = []
      const app = express()
        .use(handler, () => void called.push('next'))
        .use(noting(called))
      const answer = await ask(await serve(app))
      expect([answer.status, answer.text, answer.complete]).toEqual([200, '0123456789', false])
      await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 1 })
      expect(called).toEqual([])
    })
  })

  describe('without an error handler of the app', () => {
    test.each(OWN_ERRORS)(
      "%s is %i on Express's own page, which shows nothing even in development",
      async (name, status, _code, prepare, asked) => {
        const app = express()
        // Like `development` it shows the stack, but without a word on the console.
        expect(app.get('env')).toBe('test')
        const answer = await failure(prepare, asked, app)
        expectOwnAnswer(answer, status)
        expect(answer.header('retry-after')).toBe(hasReachedNoBackend(name) ? '1' : undefined)
        expect(answer.text).not.toMatch(/\bat\b|w1|<br>/)
      },
    )

    test('in production the page has no more than the name of the status', async () => {
      const app = express().set('env', 'production')
      const answer = await failure(async w1 => w1.backend.refuse(), {}, app)
      expectOwnAnswer(answer, 502)
      expect(answer.text).toContain('<pre>Bad Gateway</pre>')
    })
  })
})
