import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { echo } from '../support/scripts.ts'
import { checkGateway } from './gateway-checks.ts'
import { startProgram } from './started-program.ts'

describe('an application on Koa 3', () => {
  const program = startProgram('koa.js')
  checkGateway(program)

  test('has the headers of helmet on responses of backends', async () => {
    const response = await program.ask({ path: '/shop' })
    expect(response.header('x-content-type-options')).toBe('nosniff')
    expect(response.header('content-security-policy')).toContain("default-src 'self'")
  })

  test('compresses what backends send, and keeps every field of Vary', async () => {
    const text = 'a line of text\n'.repeat(500)
    for (const backend of program.backends) {
      backend.script = ({ response }) => {
        response.setHeader('Content-Type', 'text/plain').setHeader('Vary', 'Accept-Language').end(text)
      }
    }
    const response = await program.ask({ path: '/text', headers: { 'Accept-Encoding': 'gzip' } })
    for (const backend of program.backends) backend.script = echo
    expect(response.header('content-encoding')).toBe('gzip')
    expect(gunzipSync(response.body).toString()).toBe(text)
    expect(response.header('vary')?.split(/, */)).toEqual(
      expect.arrayContaining(['Accept-Encoding', 'Accept-Language']),
    )
  })

  test('keeps a session of its own beside that of limpet', async () => {
    const browser = program.browser()
    const id = await browser.visit('/shop')
    await browser.ask({ path: '/own/visits' })
    const { text } = await browser.ask({ path: '/own/visits' })
    expect(JSON.parse(text)).toEqual({ visits: 2 })
    expect(await browser.visit('/shop')).toBe(id)
    const cookie = program.backend(id).last.lines.filter(([name]) => name === 'Cookie')
    expect(cookie).toEqual([['Cookie', expect.stringMatching(/^koa\.sess=[^;]+; koa\.sess\.sig=[^;]+$/)]])
  })

  test.each([
    ['/own/old', 'application/json', '{ "a": 1 }', '{"a":1}'],
    ['/own/old', 'application/x-www-form-urlencoded', 'a=1&b=2', '{"a":"1","b":"2"}'],
    ['/own/new', 'application/json', '{ "a": 1 }', '{"a":1}'],
    ['/own/new', 'application/x-www-form-urlencoded', 'a=1&b=2', '{"a":"1","b":"2"}'],
  ])('parses bodies for its own routes: %s %s', async (path, type, body, expected) => {
    const { text } = await program.ask({ method: 'POST', path, headers: { 'Content-Type': type }, body })
    expect(text).toBe(expected)
  })

  test('mounts other applications beside limpet, and limpet under a path', async () => {
    expect((await program.ask({ path: '/mounted/page' })).text).toBe('mounted at /mounted')
    expect((await program.ask({ path: '/api/items?sort=name' })).echo.url).toBe('/api/items?sort=name')
  })

  test('logs forwarded requests after the response', async () => {
    await program.ask({ path: '/logged' })
    await expect.poll(() => program.output).toContain('log GET /logged 200')
  })

  test.each(
    ['/parsed/old', '/parsed/new'].flatMap(path => [
      [path, 'application/json', '{"a":1}'] as const,
      [path, 'application/json', '{ "price": 2.50 }'] as const,
      [path, 'application/x-www-form-urlencoded', 'a=1&b=2'] as const,
      [path, 'text/plain', 'hello'] as const,
    ]),
  )('forwards a body that a parser has read: %s %s %s', async (path, type, body) => {
    const { status } = await program.ask({ method: 'POST', path, headers: { 'Content-Type': type }, body })
    expect(status).toBe(200)
  })
  test('forwards a chunked body that a parser has read', async () => {
    const headers = { 'Content-Type': 'application/json' }
    const body = [Buffer.from('{"a":'), Buffer.from('1}')]
    const { status } = await program.ask({ method: 'POST', path: '/parsed/new', headers, body })
    expect(status).toBe(200)
  })
})
