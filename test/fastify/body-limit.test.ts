import { createAffinity } from '@limpet/core'
import { acceptAnyBody, limpet, type LimpetOptions } from '@limpet/fastify'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'

/** Where the limit is set, and which it is then. */
type Limits = Pick<LimpetOptions, 'bodyLimit'> & { readonly app?: number; readonly route?: number }

const LIMITS: readonly (readonly [Limits, most: number])[] = [
  [{}, 1024 * 1024],
  [{ app: 1000 }, 1000],
  [{ app: 1000, bodyLimit: 3000 }, 3000],
  [{ app: 3000, bodyLimit: 1000 }, 1000],
]

const ROUTE_LIMITS: typeof LIMITS = [
  ...LIMITS,
  [{ app: 1000, route: 2000 }, 2000],
  [{ bodyLimit: 3000, route: 1000 }, 3000],
]

/** In one piece the length is announced; in two it turns out to be too much. */
const SHAPES = [
  (bytes: number) => Buffer.alloc(bytes),
  (bytes: number) => [Buffer.alloc(1), Buffer.alloc(bytes - 1)],
]

describe('bodyLimit', () => {
  test.each(LIMITS)("of the pool's own routes, with %j, is %i", async ({ app: limit, bodyLimit }, most) => {
    const affinity = createAffinity(poolOf(await startBackend('w1')))
    const app = newApp(limit === undefined ? {} : { bodyLimit: limit })
    await app.register(limpet, { use: affinity, ...(bodyLimit !== undefined && { bodyLimit }) })
    await expectLimit(await listen(app), most)
  })

  test.each(ROUTE_LIMITS)(
    'of a route of the app, with %j, is %i',
    async ({ app: limit, bodyLimit, route }, most) => {
      const app = newApp(limit === undefined ? {} : { bodyLimit: limit })
      await app.register(limpet, {
        ...poolOf(await startBackend('w1')),
        routes: false,
        ...(bodyLimit !== undefined && { bodyLimit }),
      })
      await app.register(async scope => {
        acceptAnyBody(scope)
        const options = route === undefined ? {} : { bodyLimit: route }
        scope.post('/', options, (_request, reply) => reply.limpet())
      })
      await expectLimit(await listen(app), most)
    },
  )

  test('of 0 is none but an empty body', async () => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startBackend('w1')), bodyLimit: 0 })
    const port = await listen(app)
    expect((await ask(port, { method: 'POST' })).echo.bytes).toBe(0)
    expect((await ask(port, { method: 'POST', body: 'x' })).status).toBe(413)
    expect((await ask(port, { method: 'POST', body: [Buffer.from('x')] })).status).toBe(413)
  })
})

async function expectLimit(port: number, most: number): Promise<void> {
  for (const body of SHAPES) {
    const fits = await ask(port, { method: 'POST', body: body(most) })
    expect([fits.status, fits.echo.bytes]).toEqual([200, most])
    expect((await ask(port, { method: 'POST', body: body(most + 1) })).status).toBe(413)
  }
}
