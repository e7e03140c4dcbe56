import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import cors from '@fastify/cors'
import multipart from '@fastify/multipart'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import { limpet } from '@limpet/fastify'
import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'

type Register = (app: FastifyInstance) => Promise<unknown>

/** Starts an app that has a pool at `/` and another plugin, in this order of registration. */
async function startBeside(order: string, other: Register, pool: object = {}): Promise<[number, Backend]> {
  const backend = await startBackend('w1')
  const app = newApp()
  if (order === 'before') await other(app)
  await app.register(limpet, { ...poolOf(backend), ...pool })
  if (order === 'after') await other(app)
  return [await listen(app), backend]
}

function publicFolder(): string {
  const root = mkdtempSync(join(tmpdir(), 'limpet-public-'))
  writeFileSync(join(root, 'page.txt'), 'a file')
  return root
}

describe.each(['before', 'after'])('registered %s a pool without a prefix', order => {
  test("@fastify/cors answers preflights, and all else is the pool's [B3]", async () => {
    const [port, w1] = await startBeside(order, async app =>
      app.register(cors, { origin: 'https://shop.example' }),
    )
    const headers = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'PUT' }
    const preflight = await ask(port, { method: 'OPTIONS', path: '/cart', headers })
    expect([preflight.status, preflight.header('access-control-allow-origin')]).toEqual([
      204,
      'https://shop.example',
    ])
    expect(w1.seen).toEqual([])
    const put = await ask(port, { method: 'PUT', path: '/cart', headers, body: 'x' })
    expect([put.echo.method, put.header('access-control-allow-origin')]).toEqual([
      'PUT',
      'https://shop.example',
    ])
  })

  test("@fastify/static serves its files, and all but its GET is the pool's [B3]", async () => {
    const root = publicFolder()
    const [port] = await startBeside(order, async app => app.register(fastifyStatic, { root }))
    expect((await ask(port, { path: '/page.txt' })).text).toBe('a file')
    expect((await ask(port, { path: '/missing' })).status).toBe(404)
    expect((await ask(port, { path: '/missing', method: 'POST', body: 'x' })).echo).toMatchObject({
      id: 'w1',
      bytes: 1,
    })
  })

  test('@fastify/static gives the files that it does not have to a pool with notFound', async () => {
    const root = publicFolder()
    const [port] = await startBeside(order, async app => app.register(fastifyStatic, { root }), {
      notFound: true,
    })
    expect((await ask(port, { path: '/page.txt' })).text).toBe('a file')
    expect((await ask(port, { path: '/missing?x' })).echo).toMatchObject({ id: 'w1', url: '/missing?x' })
    const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{ "a" : 1 }' }
    expect((await ask(port, { path: '/x', ...json })).echo.bytes).toBe(json.body.length)
  })

  test('a catch-all route of the application keeps its method [B3]', async () => {
    const [port] = await startBeside(order, async app => app.get('/*', () => 'own'))
    expect((await ask(port, { path: '/x' })).text).toBe('own')
    expect((await ask(port, { path: '/x', method: 'HEAD' })).header('x-backend')).toBeUndefined()
    expect((await ask(port, { path: '/x', method: 'POST' })).echo.id).toBe('w1')
  })

  test("@fastify/swagger documents the application's routes only", async () => {
    const documents: unknown[] = []
    await startBeside(order, async app => {
      await app.register(swagger, { openapi: {} })
      app.get('/own', { schema: { summary: 'own' } }, () => 'own')
      app.addHook('onReady', async () => {
        documents.push(app.swagger())
      })
    })
    expect(documents).toMatchObject([{ paths: { '/own': { get: { summary: 'own' } } } }])
    expect(Object.keys((documents[0] as { paths: object }).paths)).toEqual(['/own'])
  })

  test("@fastify/multipart parses the application's uploads, without a warning", async () => {
    const lines: string[] = []
    const app = fastify({ logger: { level: 'warn', stream: { write: line => lines.push(line) } } })
    onTestFinished(() => app.close())
    const pool = poolOf(await startBackend('w1'))
    if (order === 'before') await app.register(multipart)
    await app.register(limpet, pool)
    if (order === 'after') await app.register(multipart)
    app.route({ method: 'POST', url: '/own', handler: async request => (await request.file())?.filename })
    const port = await listen(app)
    const body = '--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
    const upload = { method: 'POST', headers: { 'Content-Type': 'multipart/form-data; boundary=b' }, body }
    expect((await ask(port, { ...upload, path: '/own' })).text).toBe('a.txt')
    expect((await ask(port, { ...upload, path: '/pool' })).echo.bytes).toBe(body.length)
    expect(lines).toEqual([])
  })
})

test('two pools with the same routes are refused', async () => {
  const app = newApp()
  await app.register(limpet, { ...poolOf(), name: 'one', affinity: [] })
  const second = app.register(limpet, { ...poolOf(), name: 'two', affinity: [] })
  await expect(second).rejects.toMatchObject({ code: 'FST_ERR_DUPLICATED_ROUTE' })
})

describe('the options of routes', () => {
  test('httpMethods limits what the pool takes', async () => {
    const [port] = await startBeside('after', async () => undefined, { httpMethods: ['GET'] })
    expect((await ask(port)).echo.id).toBe('w1')
    expect((await ask(port, { method: 'POST', body: 'x' })).status).toBe(404)
  })

  test('constraints put two pools at one prefix', async () => {
    const [a, b] = [await startBackend('a'), await startBackend('b')]
    const app = newApp()
    for (const backend of [a, b]) {
      const { id } = backend
      await app.register(limpet, {
        ...poolOf(backend),
        name: id,
        affinity: [],
        constraints: { host: `${id}.example` },
      })
    }
    const port = await listen(app)
    for (const id of ['a', 'b'])
      expect((await ask(port, { headers: { Host: `${id}.example` } })).echo.id).toBe(id)
    expect((await ask(port, { headers: { Host: 'c.example' } })).status).toBe(404)
  })

  test('config, schema, preValidation and preHandler reach the routes', async () => {
    const seen: unknown[] = []
    const w1 = await startBackend('w1')
    const app = newApp()
    await app.register(limpet, {
      ...poolOf(w1),
      config: { limit: 3 },
      schema: { querystring: { type: 'object', required: ['q'] } },
      preValidation: ({ headers }, _reply, done) => {
        headers['x-validated'] = '1'
        done()
      },
      preHandler: [
        ({ routeOptions }, reply, done) => {
          seen.push(routeOptions.config)
          reply.header('x-hook', 'ran')
          done()
        },
      ],
    })
    const port = await listen(app)
    const answer = await ask(port, { path: '/x?q=1' })
    expect([answer.header('x-hook'), w1.last.lines]).toEqual([
      'ran',
      expect.arrayContaining([['x-validated', '1']]),
    ])
    expect(seen).toEqual([expect.objectContaining({ limit: 3 })])
    expect((await ask(port, { path: '/x' })).status).toBe(400)
  })

  test.each<[string, object]>([
    ['httpMethods', { httpMethods: [] }],
    ['httpMethods[0]', { httpMethods: ['CONNECT'] }],
    ['constraints', { constraints: 'host' }],
    ['config', { config: [] }],
    ['schema.body', { schema: { body: {} } }],
    ['preHandler', { preHandler: 'hook' }],
    ['notFound', { notFound: 'yes' }],
    ['websocket', { websocket: 1 }],
    ['httpMethods', { notFound: true, httpMethods: ['GET'] }],
    ['notFound', { routes: false, notFound: true }],
  ])('%s is checked: %j', async (option, options) => {
    const wrong = { ...poolOf(), ...options } as ReturnType<typeof poolOf>
    await expect(newApp().register(limpet, wrong)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option,
    })
  })
})
