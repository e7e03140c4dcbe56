import { once } from 'node:events'
import { Agent } from 'node:http'
import { limpet, type LimpetOptions } from '@limpet/express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask, open, readToEnd } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { bare } from '../support/scripts.ts'
import { EXPRESSES, noting, pool } from '../support/express-app.ts'

describe.each(EXPRESSES)('mounted in %s', (_version, express) => {
  describe('its answers', () => {
    test('without a body leave both connections free for the next', async () => {
      const w1 = await startBackend('w1')
      const port = await serve(express().use(limpet(poolOf(w1))))
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const head = await ask(port, { method: 'HEAD', agent })
      expect([head.status, head.body.length, head.complete]).toEqual([200, 0, true])
      expect(Number(head.header('content-length'))).toBeGreaterThan(50)
      for (const status of [204, 205, 304]) {
        w1.script = bare(status, { ETag: '"1"', ...(status === 205 && { 'Content-Length': 0 }) })
        const answer = await ask(port, { agent, headers: { 'If-None-Match': '"1"' } })
        expect([answer.status, answer.header('etag'), answer.complete]).toEqual([status, '"1"', true])
      }
      expect(w1.connections).toBe(1)
    })

    test('are never followed by a call of next', async () => {
      const w1 = await startBackend('w1')
      const called: unknown[] = []
      const app = express()
        .use(limpet(poolOf(w1)), (_request, response) => {
          called.push('next')
          response.end()
        })
        .use(noting(called))
      const port = await serve(app)
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      for (const method of ['GET', 'HEAD', 'DELETE']) await ask(port, { method, agent })
      await ask(port, { method: 'POST', body: 'x'.repeat(100_000), agent })
      w1.script = bare(304)
      await ask(port, { agent })
      // By the time that this one is answered, a call for one before it would have been.
      w1.script = ({ response }) => void response.write('x', () => response.end('x'.repeat(200_000)))
      expect((await ask(port, { agent })).body.length).toBe(200_001)
      expect(called).toEqual([])
    })

    test('that wait for their first event have their head', async () => {
      const w1 = await startBackend('w1', ({ response }) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
      })
      const { message } = await open(await serve(express().use(limpet(poolOf(w1)))))
      expect(message.headers['content-type']).toBe('text/event-stream')
      message.destroy()
    })
  })

  test('close ends the idle connections, and what is on its way goes on', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const { handler } = pool([w1, w2])
    const port = await serve(express().use(handler))
    expect((await ask(port)).echo.id).toBe('w1')
    const answering = Promise.withResolvers<() => void>()
    w2.script = ({ response }) => {
      response.write('first ')
      answering.resolve(() => response.end('and last'))
    }
    const opened = await open(port)
    const finish = await answering.promise
    const closings = [...w1.sockets].map(async socket => once(socket, 'close'))
    expect(closings).toHaveLength(1)
    const begun = performance.now()
    handler.close()
    await Promise.all(closings)
    // Left to themselves they would go after four seconds.
    expect(performance.now() - begun).toBeLessThan(1_000)
    finish()
    expect(Buffer.concat(await readToEnd(opened)).toString()).toBe('first and last')
    expect(opened.message.complete).toBe(true)
    for (const socket of w2.sockets) await once(socket, 'close')
    expect(performance.now() - begun).toBeLessThan(2_000)
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
