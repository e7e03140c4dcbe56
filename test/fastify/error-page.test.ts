import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { describe, expect, test } from 'vitest'
import { expectOwnAnswer } from '../contract/own-answers.ts'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { OWN_ERRORS, type Prepare } from '../support/own-errors.ts'

async function pool(prepare: Prepare) {
  const backend = await startBackend('w1')
  const affinity = createAffinity(poolOf(backend))
  await prepare({ backend, affinity })
  return { use: affinity, timeouts: { response: 200 }, bodyLimit: 100 } as const
}

describe('without an error handler of the app', () => {
  test.each(OWN_ERRORS)('%s is %i, a fixed page [T-44]', async (_, status, _code, prepare, asked) => {
    const app = newApp({ genReqId: () => 'the-id' })
    await app.register(limpet, await pool(prepare))
    const answer = await ask(await listen(app), asked)
    expectOwnAnswer(answer, status)
    expect(answer.header('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.header('x-content-type-options')).toBe('nosniff')
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.text).toMatch(new RegExp(`^${status} [A-Z][A-Za-z ]+\nrequest the-id\n$`))
  })

  test.each<[string, Prepare, readonly string[]]>([
    ['502 Bad Gateway', w1 => w1.backend.refuse(), ['the backend did not respond', '"w1"', 'ECONNREFUSED']],
    ['503 Service Unavailable', w1 => w1.affinity.pool.remove('w1'), ['no backend is available']],
  ])('the log has what the page of a %s leaves out, under the same id', async (page, prepare, said) => {
    const lines: Record<string, unknown>[] = []
    const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
    const app = newApp({ logger: { level: 'warn', stream: { write } } })
    await app.register(limpet, await pool(prepare))
    const answer = await ask(await listen(app))
    expect(answer.text).toBe(`${page}\nrequest req-1\n`)
    const told = lines.filter(({ reqId }) => reqId === 'req-1').map(line => JSON.stringify(line))
    for (const words of said) expect(told.join('\n')).toContain(words)
  })

  test("errors that are not ours are shown in Fastify's own way", async () => {
    const app = newApp()
    app.addHook('onRequest', async () => {
      throw Object.assign(new Error('who are you?'), { statusCode: 401, code: 'E_AUTH' })
    })
    await app.register(limpet, poolOf())
    const answer = await ask(await listen(app))
    expect(answer.status).toBe(401)
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'E_AUTH', message: 'who are you?' })
  })

  test('a handler of its own that forwards shows them as the app shows all errors', async () => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(), routes: false })
    app.get('/', (_request, reply) => reply.limpet())
    const answer = await ask(await listen(app))
    expectOwnAnswer(answer, 503)
    expect(answer.header('retry-after')).toBe('1')
    expect(JSON.parse(answer.text)).toMatchObject({ statusCode: 503, code: 'ERR_NO_BACKEND' })
  })
})

describe('an error handler of the app', () => {
  function show(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { code, statusCode = 0, message } = error
    return reply.code(statusCode).send({ shown: { code, statusCode, message } })
  }

  test.each(OWN_ERRORS)('is asked about %s: %i', async (_, status, code, prepare, asked) => {
    const app = newApp()
    app.setErrorHandler(show)
    await app.register(limpet, await pool(prepare))
    const answer = await ask(await listen(app), asked)
    expect(answer.status).toBe(status)
    const { shown } = JSON.parse(answer.text)
    expect(shown).toMatchObject({ code, statusCode: status })
    expect(shown.message).not.toMatch(/127\.0\.0\.1|localhost|:\d|E[A-Z]{4,}|UND_|undici|socket/)
    expect(answer.cookies()).toEqual([])
  })

  test.each([
    ['set after ours was registered', true],
    ['set while ours is being registered', false],
  ])('is asked when it is %s', async (_, isAwaited) => {
    const app = newApp()
    const registered = app.register(limpet, poolOf())
    if (isAwaited) await registered
    app.setErrorHandler(show)
    const answer = await ask(await listen(app))
    expect([answer.status, JSON.parse(answer.text).shown.code]).toEqual([503, 'ERR_NO_BACKEND'])
  })

  test('is the one of the scope, or of the scope around it', async () => {
    const app = newApp()
    app.setErrorHandler((_error, _request, reply) => reply.code(500).send('outer'))
    await app.register(async scope => {
      scope.setErrorHandler((_error, _request, reply) => reply.code(500).send('inner'))
      await scope.register(limpet, { ...poolOf(), name: 'a', prefix: '/a', affinity: [] })
    })
    await app.register(async scope => {
      await scope.register(limpet, { ...poolOf(), name: 'b', prefix: '/b', affinity: [] })
    })
    const port = await listen(app)
    expect((await ask(port, { path: '/a' })).text).toBe('inner')
    expect((await ask(port, { path: '/b' })).text).toBe('outer')
  })

  test('is asked for replies of a handler that forwards, too', async () => {
    const app = newApp()
    app.setErrorHandler(show)
    await app.register(limpet, { ...poolOf(), routes: false })
    app.get('/', async (_request, reply) => reply.limpet())
    const answer = await ask(await listen(app))
    expect(JSON.parse(answer.text).shown).toMatchObject({ code: 'ERR_NO_BACKEND', statusCode: 503 })
  })
})
