import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { json } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { joinedValue } from '../support/header-lines.ts'
import { echo } from '../support/scripts.ts'
import { testCertificate } from '../support/tls.ts'
import { checkGateway } from './gateway-checks.ts'
import { startProgram } from './started-program.ts'

describe.each([
  ['Express 5', 'express.js'],
  ['Express 4', 'express-4/express.js'],
])('an application on %s', (_name, file) => {
  const program = startProgram(file, { TLS_KEY: testCertificate.key, TLS_CERT: testCertificate.cert })
  checkGateway(program)

  test('has the headers of helmet and cors on responses of backends', async () => {
    const response = await program.ask({ path: '/shop', headers: { Origin: 'https://shop.example' } })
    expect(response.header('x-content-type-options')).toBe('nosniff')
    expect(response.header('content-security-policy')).toContain("default-src 'self'")
    expect(response.header('access-control-allow-origin')).toBe('https://shop.example')
    expect(response.header('access-control-allow-credentials')).toBe('true')
    expect(response.header('access-control-expose-headers')).toBe('X-Total')
  })

  test('answers a preflight request by itself', async () => {
    const headers = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'PUT' }
    const before = program.backends.flatMap(({ seen }) => seen).length
    const response = await program.ask({ method: 'OPTIONS', path: '/shop', headers })
    expect([response.status, response.header('access-control-allow-methods')]).toEqual([
      204,
      'GET,HEAD,PUT,PATCH,POST,DELETE',
    ])
    expect(program.backends.flatMap(({ seen }) => seen).length).toBe(before)
  })

  test('compresses what backends send', async () => {
    const text = 'a line of text\n'.repeat(500)
    for (const backend of program.backends) {
      backend.script = ({ response }) => void response.setHeader('Content-Type', 'text/plain').end(text)
    }
    const response = await program.ask({ path: '/text', headers: { 'Accept-Encoding': 'gzip' } })
    for (const backend of program.backends) backend.script = echo
    expect(response.header('content-encoding')).toBe('gzip')
    expect(gunzipSync(response.body).toString()).toBe(text)
  })

  test('keeps a session of its own beside that of limpet', async () => {
    const browser = program.browser()
    const id = await browser.visit('/shop')
    await browser.ask({ path: '/own/visits' })
    const { text } = await browser.ask({ path: '/own/visits' })
    expect(JSON.parse(text)).toEqual({ visits: 2, cookies: ['SERVERID', 'connect.sid'] })
    expect(await browser.visit('/shop')).toBe(id)
    const cookie = program.backend(id).last.lines.filter(([name]) => name === 'Cookie')
    expect(cookie).toEqual([['Cookie', expect.stringMatching(/^connect\.sid=[^;]+$/)]])
  })

  test.each([
    ['/own/json', 'application/json', '{ "a": 1 }', '{"a":1}'],
    ['/own/form', 'application/x-www-form-urlencoded', 'a=1&b=2', '{"a":"1","b":"2"}'],
    ['/own/text', 'text/plain', 'hello', '"hello"'],
    ['/own/raw', 'application/octet-stream', 'bytes', '{"bytes":5}'],
  ])('parses bodies for its own routes: %s', async (path, type, body, expected) => {
    const { text } = await program.ask({ method: 'POST', path, headers: { 'Content-Type': type }, body })
    expect(text).toBe(expected)
  })

  test('limits the rate of requests to backends', async () => {
    const statuses = [await program.ask({ path: '/limited' }), await program.ask({ path: '/limited' })]
    expect(statuses.map(({ status }) => status)).toEqual([200, 200])
    const response = await program.ask({ path: '/limited' })
    expect([response.status, response.header('ratelimit')]).toEqual([
      429,
      expect.stringMatching(/r=0; t=\d+$/),
    ])
  })

  test('mounts limpet in a router', async () => {
    const { echo: seen } = await program.ask({ path: '/api/v1/items?sort=name' })
    expect(seen.url).toBe('/api/v1/items?sort=name')
  })

  test('logs forwarded requests with morgan, and their backends', async () => {
    const { echo: seen } = await program.ask({ path: '/logged' })
    await expect.poll(() => program.output).toContain(`log GET /logged 200 ${seen.id}`)
  })

  test('serves the same over TLS', async () => {
    const sent = get({ host: '127.0.0.1', port: program.tlsPort, path: '/shop', ca: testCertificate.cert })
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const { id } = (await json(response)) as { id: string }
    expect(response.headers['set-cookie']).toEqual([expect.stringMatching(/; Secure/)])
    expect(joinedValue(program.backend(id).last.lines, 'x-forwarded-proto')).toBe('https')
    for (const [path, expected] of [
      ['/chat', 'hello'],
      ['/live', 'live: hello'],
    ] as const) {
      const socket = new WebSocket(`wss://127.0.0.1:${program.tlsPort}${path}`, { ca: testCertificate.cert })
      const message = new Promise<string>((resolve, reject) => {
        socket.once('error', reject).once('open', () => socket.send('hello'))
        socket.once('message', (data: Buffer) => resolve(data.toString()))
      })
      expect(await message).toBe(expected)
      socket.terminate()
    }
  })

  test.each([
    ['application/json', '{"a":1}'],
    ['application/json', '{ "price": 2.50 }'],
    ['application/x-www-form-urlencoded', 'a=1&b=2'],
    ['text/plain', 'hello'],
    ['application/octet-stream', 'bytes'],
  ])('forwards a body that a parser has read: %s %s', async (type, body) => {
    const asked = { method: 'POST', path: '/parsed', headers: { 'Content-Type': type }, body }
    const { status } = await program.ask(asked)
    expect(status).toBe(200)
  })
  test('merges its Vary with that of a backend', async () => {
    for (const backend of program.backends) {
      backend.script = ({ response }) => void response.setHeader('Vary', 'Accept-Language').end()
    }
    const response = await program.ask({ path: '/shop', headers: { Origin: 'https://shop.example' } })
    for (const backend of program.backends) backend.script = echo
    expect(response.header('vary')?.split(/, */)).toEqual(
      expect.arrayContaining(['Origin', 'Accept-Language']),
    )
  })
})
