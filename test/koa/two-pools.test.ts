import { limpet } from '@limpet/koa'
import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { appOf } from '../support/koa-app.ts'

describe('two pools of one server', () => {
  test('that write one cookie for one host are refused, the second of them [LB213]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const pools = [
      limpet({ ...poolOf(w1), filter: ({ url = '' }) => url.startsWith('/web') }),
      limpet({ ...poolOf(w2), filter: ({ url = '' }) => url.startsWith('/api') }),
    ]
    const { app, errors } = appOf(...pools)
    const port = await serve(app.callback())
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
