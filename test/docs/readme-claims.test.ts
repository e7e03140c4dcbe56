import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BackendOptions, createAffinity, type Duration } from '@limpet/core'
import { limpet as expressLimpet } from '@limpet/express'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import { limpet as koaLimpet } from '@limpet/koa'
import express from 'express'
import Koa from 'koa'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { startBackend, startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { joinedValue } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { openRaw } from '../support/raw-client.ts'

/** Claims of the READMEs in prose that no other test shows. */
describe('a README says that', () => {
  test('a WebSocket goes through the hooks, and then to the backend of its session', async () => {
    const backends = [await startTunnel('w1'), await startTunnel('w2')]
    const app = newApp(gatewayServerOptions())
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === undefined) return reply.code(401).send()
    })
    await app.register(limpet, { secrets: [SECRET], backends })
    const port = await listen(app)
    const handshake = async (...more: readonly string[]): Promise<string> => {
      const client = await openRaw(port)
      const lines = [
        'Host: a',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        KEY,
        ...more,
      ]
      client.write(`GET /chat HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      await client.until(received => received.includes('\r\n\r\n'))
      if (client.received.startsWith('HTTP/1.1 101')) {
        client.write('hello')
        await client.until(received => received.endsWith('hello'))
      }
      return client.received
    }
    expect(await handshake()).toMatch(/^HTTP\/1\.1 401 /)
    const first = await handshake('Authorization: me')
    expect(first).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nw1 hello$/)
    const [, cookie = ''] = /\r\nset-cookie: ([^;]*)/i.exec(first) ?? []
    for (let again = 0; again < 2; again += 1) {
      expect(await handshake('Authorization: me', `Cookie: ${cookie}`)).toMatch(/\r\n\r\nw1 hello$/)
    }
  })

  test('a time-out has 24 days at most, and the life of a cookie 400', () => {
    const withLife = (maxLife: Duration) =>
      createAffinity({ secrets: [SECRET], backends: [], affinity: [{ cookie: { maxLife } }] })
    withLife('400d')
    expect(() => withLife('401d')).toThrow('at most 400d')
    const app = newApp()
    app.register(limpet, { secrets: [SECRET], backends: [], timeouts: { idle: '25d' } })
    return expect(app.ready()).rejects.toThrow('at most 24d')
  })
})

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='

/** Agrees to any WebSocket, says its name, and then what it is told. */
async function startTunnel(id: string): Promise<BackendOptions> {
  const server = createServer()
  server.on('upgrade', (_request, socket) => {
    onTestFinished(() => void socket.destroy())
    const accept = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${accept}\r\n\r\n${id} `,
    )
    socket.on('error', () => {}).pipe(socket)
  })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { id, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Warnings of the READMEs. When one of these fails because something has improved, remove the warning. */
describe('a pitfall', () => {
  test('a body limit of Fastify holds, 1 MiB by default', async () => {
    const app = newApp()
    await app.register(limpet, poolOf(await startBackend('w1')))
    const port = await listen(app)
    const MiB = 1024 * 1024
    expect((await ask(port, { method: 'POST', body: Buffer.alloc(MiB) })).echo.bytes).toBe(MiB)
    expect((await ask(port, { method: 'POST', body: Buffer.alloc(MiB + 1) })).status).toBe(413)
  })

  test("a route of the app's own is the app's, / too", async () => {
    const app = newApp()
    app.get('/', () => 'home')
    await app.register(limpet, poolOf(await startBackend('w1')))
    const port = await listen(app)
    expect((await ask(port)).text).toBe('home')
    expect((await ask(port, { path: '/other' })).echo.id).toBe('w1')
  })

  test('two pools with one cookie name are refused', async () => {
    const w1 = await startBackend('w1')
    const app = newApp()
    await app.register(limpet, { ...poolOf(w1), prefix: '/one' })
    app.register(limpet, { ...poolOf(w1), name: 'two', prefix: '/two' })
    await expect(app.ready()).rejects.toThrow('cookie.name of pool two')
  })

  test('the cookie is Secure on TLS alone, unless it always is', async () => {
    const w1 = await startBackend('w1')
    const app = newApp()
    await app.register(limpet, { ...poolOf(w1), prefix: '/auto' })
    const always = [{ cookie: { name: 'ALWAYS', secure: true } }]
    await app.register(limpet, { ...poolOf(w1), name: 'always', prefix: '/always', affinity: always })
    const port = await listen(app)
    expect((await ask(port, { path: '/auto' })).cookies().join(' ')).not.toMatch(/Secure/)
    expect((await ask(port, { path: '/always' })).cookies().join(' ')).toMatch(/Secure/)
  })

  test("Fastify's own trustProxy is not read", async () => {
    const w1 = await startBackend('w1')
    const app = newApp({ trustProxy: true })
    await app.register(limpet, poolOf(w1))
    const headers = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' }
    const answer = await ask(await listen(app), { headers })
    expect(answer.cookies('SERVERID').join(' ')).not.toMatch(/Secure/)
    expect(joinedValue(w1.last.lines, 'x-forwarded-for')).toBe('127.0.0.1')
  })

  test('several first requests at once may go to several backends, and the last cookie decides', async () => {
    const app = newApp()
    await app.register(limpet, poolOf(...(await startBackends('w1', 'w2'))))
    const browser = new Browser(await listen(app))
    const [first, last] = [await ask(browser.port), await ask(browser.port)]
    expect(first.echo.id).not.toBe(last.echo.id)
    for (const { lines } of [first, last]) {
      const [, value = ''] = /^SERVERID=([^;]*)/.exec(joinedValue(lines, 'set-cookie') ?? '') ?? []
      browser.cookies.set('SERVERID', value)
    }
    expect(await browser.visit()).toBe(last.echo.id)
  })

  test('a backend that is down is asked again and again', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const affinity = createAffinity(poolOf(w1, w2))
    const app = newApp()
    await app.register(limpet, { use: affinity })
    const port = await listen(app)
    await w1.refuse()
    const failures = (): number => affinity.pool.find('w1')?.failures ?? 0
    for (let session = 0; session < 4; session += 1) expect((await ask(port)).echo.id).toBe('w2')
    const paid = failures()
    expect(paid).toBeGreaterThan(1)
    affinity.pool.setHealthy('w1', false)
    for (let session = 0; session < 4; session += 1) expect((await ask(port)).echo.id).toBe('w2')
    expect(failures()).toBe(paid)
  })

  test('an answer that had begun before the end does not hold it up', async () => {
    const w1 = await startBackend('w1')
    const app = newApp(gatewayServerOptions())
    await app.register(limpet, poolOf(w1))
    const port = await listen(app)
    let finish = (): void => {}
    w1.script = ({ response }) => {
      response.write('first ')
      finish = () => response.end('last')
    }
    const client = await openRaw(port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until(received => received.includes('first'))
    const closing = app.close()
    finish()
    await client.until(received => received.includes('last'))
    // Or it would wait 75 s for the client.
    await closing
  })
})

describe('of a backend that is gone', () => {
  const gone = { secrets: [SECRET], backends: [{ id: 'app1', url: 'http://127.0.0.1:1' }] }

  test('Express shows a message without the backend, and prints its id', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue(undefined)
    onTestFinished(() => printed.mockRestore())
    // Under the name of vitest's own, Express is silent.
    const app = express().set('env', 'development').use(expressLimpet(gone))
    const answer = await ask(await serve(app))
    expect([answer.status, answer.header('cache-control')]).toEqual([502, 'no-store'])
    expect(answer.text).toContain('the backend did not respond')
    expect(answer.text).not.toMatch(/app1|127\.0\.0\.1/)
    await expect.poll(() => printed.mock.calls).toEqual([[expect.objectContaining({ backend: 'app1' })]])
  })

  test('Koa shows the message alone, and prints nothing without a listener', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue(undefined)
    onTestFinished(() => printed.mockRestore())
    const app = new Koa().use(koaLimpet(gone))
    const port = await serve(app.callback())
    const answer = await ask(port)
    expect([answer.status, answer.header('cache-control'), answer.text]).toEqual([
      502,
      'no-store',
      'the backend did not respond',
    ])
    expect(printed).not.toHaveBeenCalled()
    const heard = once(app, 'error')
    await ask(port)
    expect((await heard)[0]).toMatchObject({ code: 'ERR_BACKEND_FAILED', backend: 'app1' })
  })
})

test('without a listener a handshake is a plain request', async () => {
  const w1 = await startBackend('w1')
  const port = await serve(express().use(expressLimpet(poolOf(w1))))
  const client = await openRaw(port)
  client.write(
    `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${KEY}\r\n\r\n`,
  )
  await client.until(received => received.includes('\r\n\r\n'))
  expect(client.received).toMatch(/^HTTP\/1\.1 200 /)
  expect(joinedValue(w1.last.lines, 'upgrade')).toBe(undefined)
})
