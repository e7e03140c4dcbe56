import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { echo } from '../support/scripts.ts'
import { checkGateway } from './gateway-checks.ts'
import { startProgram } from './started-program.ts'

describe.each([
  ['behind its plugins', 'last', '/'],
  ['before its plugins', 'first', '/'],
  ['before its plugins, under a prefix', 'first', '/shop'],
  ['behind its plugins, under a prefix', 'last', '/shop'],
])('an application on Fastify 5, limpet %s', (_name, order, prefix) => {
  const program = startProgram('fastify.js', { LIMPET: order, PREFIX: prefix })
  checkGateway(program)

  test('has the headers of helmet and cors on responses of backends', async () => {
    const response = await program.ask({ path: '/shop', headers: { Origin: 'https://shop.example' } })
    expect(response.header('x-content-type-options')).toBe('nosniff')
    expect(response.header('access-control-allow-origin')).toBe('https://shop.example')
    expect(response.header('access-control-allow-credentials')).toBe('true')
  })

  test('answers a preflight request by itself', async () => {
    const headers = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'POST' }
    const before = program.backends.flatMap(({ seen }) => seen).length
    const response = await program.ask({ method: 'OPTIONS', path: '/shop', headers })
    expect([response.status, response.header('access-control-allow-methods')]).toEqual([204, 'GET,HEAD,POST'])
    expect(program.backends.flatMap(({ seen }) => seen).length).toBe(before)
  })

  test('serves static files', async () => {
    const response = await program.ask({ path: '/public/file.txt' })
    expect([response.status, response.text]).toEqual([200, 'a static file\n'])
    expect(response.header('etag')).toBeDefined()
  })

  test('runs each request in its own context', async () => {
    const names = ['alice', 'bob', 'carol', 'dave']
    const users = names.map(async name => {
      const response = await program.ask({ path: '/shop', headers: { 'X-Name': name } })
      return response.header('x-user')
    })
    expect(await Promise.all(users)).toEqual(names)
  })

  test('compresses what backends send, if it was registered before limpet', async () => {
    const text = 'a line of text\n'.repeat(500)
    for (const backend of program.backends) {
      backend.script = ({ response }) => void response.setHeader('Content-Type', 'text/plain').end(text)
    }
    const response = await program.ask({ path: '/shop/text', headers: { 'Accept-Encoding': 'gzip' } })
    for (const backend of program.backends) backend.script = echo
    expect(response.header('content-encoding')).toBe(order === 'last' ? 'gzip' : undefined)
    expect((order === 'last' ? gunzipSync(response.body) : response.body).toString()).toBe(text)
  })

  test('keeps the Vary of a backend', async () => {
    for (const backend of program.backends) {
      backend.script = ({ response }) => void response.setHeader('Vary', 'Accept-Language').end('a')
    }
    const response = await program.ask({ path: '/shop', headers: { Origin: 'https://shop.example' } })
    for (const backend of program.backends) backend.script = echo
    expect(response.header('vary')?.split(/, */)).toEqual(expect.arrayContaining(['Accept-Language']))
  })

  test('keeps a session of its own beside that of limpet', async () => {
    const browser = program.browser()
    const id = await browser.visit('/shop')
    await browser.ask({ path: '/own/visits' })
    expect(JSON.parse((await browser.ask({ path: '/own/visits' })).text)).toEqual({ visits: 2 })
    expect(await browser.visit('/shop')).toBe(id)
  })

  test('parses forms and uploads for its own routes', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const asked = { method: 'POST', path: '/own/form', headers: form, body: 'a=1&b=2' }
    expect(JSON.parse((await program.ask(asked)).text)).toEqual({ a: '1', b: '2' })
    expect(JSON.parse((await program.ask({ ...UPLOAD, path: '/own/upload' })).text)).toEqual({ bytes: 5 })
  })

  test('forwards forms and uploads as the client sent them, without a warning', async () => {
    const { status, echo: seen } = await program.ask({ ...UPLOAD, path: '/shop' })
    expect([status, seen.bytes]).toEqual([200, UPLOAD.body.length])
    expect(program.output).not.toContain('might not behave as expected')
  })

  test('verifies tokens', async () => {
    const { token } = JSON.parse((await program.ask({ path: '/own/token' })).text) as { token: string }
    const { text } = await program.ask({ path: '/own/claims', headers: { Authorization: `Bearer ${token}` } })
    expect(JSON.parse(text)).toMatchObject({ name: 'alice' })
    expect((await program.ask({ path: '/own/claims' })).status).toBe(401)
  })

  test('limits the rate of requests', async () => {
    for (let times = 0; times < 2; times += 1) {
      expect((await program.ask({ path: '/own/limited' })).status).toBe(200)
    }
    expect((await program.ask({ path: '/own/limited' })).status).toBe(429)
  })

  test('describes its own routes alone', async () => {
    const { paths } = JSON.parse((await program.ask({ path: '/own/openapi' })).text) as { paths: object }
    expect(Object.keys(paths).filter(path => !/^\/(?:own|live|public)\b/.test(path))).toEqual([])
  })

  test('logs forwarded requests', async () => {
    await program.ask({ path: '/shop/logged' })
    await expect.poll(() => program.output).toContain('"url":"/shop/logged"')
  })
})

const UPLOAD = {
  method: 'POST',
  headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
  body: '--x\r\nContent-Disposition: form-data; name="a"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n',
}
