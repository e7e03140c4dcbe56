import { createAffinity, type HeaderFields } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'

describe.each(['rewriteRequestHeaders', 'rewriteHeaders'] as const)('a value that %s returns', hook => {
  test.each<[string, unknown]>([
    ['with a line break', 'b\r\nX-Evil: 1'],
    ['with a null byte', '\0'],
    ['beyond latin-1', '\u010aX-Evil:1'],
    ['that is null', null],
    ['that is an object', {}],
    ['that is a symbol', Symbol('b')],
    ['that is a list of lists', [['b']]],
    ['that is a list with undefined', ['b', undefined]],
    ['that is a function', () => 'b'],
  ])('%s is an error of the application', async (_, value) => {
    const w1 = await startBackend('w1')
    const affinity = createAffinity(poolOf(w1))
    const errors: unknown[] = []
    let isBad = true
    const app = newApp()
    app.setErrorHandler((error, _request, reply) => {
      errors.push(error)
      return reply.code(500).send('sorry')
    })
    const edit = (fields: HeaderFields) => (isBad ? { ...fields, 'x-a': value } : fields) as HeaderFields
    await app.register(limpet, {
      use: affinity,
      ...(hook === 'rewriteHeaders'
        ? { rewriteHeaders: edit }
        : { rewriteRequestHeaders: (_request, fields) => edit(fields) }),
    })
    const port = await listen(app)
    const answer = await ask(port, { method: 'POST', body: 'x' })
    expect([answer.status, answer.text, answer.complete]).toEqual([500, 'sorry', true])
    expect(errors).toMatchObject([{ code: 'ERR_INVALID_EDIT', statusCode: 500 }])
    expect(affinity.pool.find('w1')?.inFlight).toBe(0)
    isBad = false
    expect((await ask(port)).status).toBe(200)
  })

  test.each<[unknown, string[]]>([
    [undefined, []],
    [7, ['7']],
    [
      ['1', '2'],
      ['1', '2'],
    ],
    [[], []],
  ])('of %j is written as %j', async (value, lines) => {
    const w1 = await startBackend('w1')
    const app = newApp()
    const edit = (fields: HeaderFields) => ({ ...fields, 'x-a': value }) as HeaderFields
    await app.register(limpet, {
      ...poolOf(w1),
      ...(hook === 'rewriteHeaders'
        ? { rewriteHeaders: edit }
        : { rewriteRequestHeaders: (_request, fields) => edit(fields) }),
    })
    const answer = await ask(await listen(app), { headers: { 'x-a': 'old' } })
    const written = hook === 'rewriteHeaders' ? answer.lines : w1.last.lines
    expect([answer.status, valuesOf(written, 'x-a')]).toEqual([200, lines])
  })
})
