import { limpet } from '@limpet/express'
import express5, { type ErrorRequestHandler } from 'express'
import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'

describe('two pools of one server', () => {
  test('that write one cookie for one host are refused, the second of them [LB213]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const errors: unknown[] = []
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.status(error.status).end()
    }
    const app = express5()
      .use('/web', limpet(poolOf(w1)))
      .use('/api', limpet(poolOf(w2)))
    const port = await serve(app.use(note))
    const web = await ask(port, { path: '/web' })
    expect([web.status, web.echo.id]).toEqual([200, 'w1'])
    const api = await ask(port, { path: '/api' })
    expect(api.status).toBe(500)
    expect(api.cookies()).toEqual([])
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_COOKIE_COLLISION', statusCode: 500 })])
    const other = await ask(port, { path: '/api', headers: { Host: 'other.test' } })
    expect([other.status, other.echo.id]).toEqual([200, 'w2'])
    expect((await ask(port, { path: '/web' })).status).toBe(200)
  })
})
