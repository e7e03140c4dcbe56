import { createRequire } from 'node:module'
import { execFile } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import koaBodyParser5 from '@koa/bodyparser'
import { limpet as expressLimpet } from '@limpet/express'
import { limpet as koaLimpet } from '@limpet/koa'
import express from 'express'
import Koa from 'koa'
import koaBodyParser4 from 'koa-bodyparser'
import multer from 'multer'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask, type Asked } from '../support/http-client.ts'
import { joinedValue } from '../support/header-lines.ts'
import { serve } from '../support/node-app.ts'

/** Applications that parse all bodies before limpet is asked. */

const express4 = createRequire(import.meta.url)('express-4') as typeof express

const APPS: readonly (readonly [string, (w1: Backend) => Promise<number>])[] = [
  ['express 5', w1 => startExpress(express, w1)],
  ['express 4', w1 => startExpress(express4, w1)],
  ['koa-bodyparser', w1 => startKoa(koaBodyParser4({ enableTypes: ['json', 'form', 'text'] }), w1)],
  ['@koa/bodyparser', w1 => startKoa(koaBodyParser5({ enableTypes: ['json', 'form', 'text'] }), w1)],
]

async function startExpress(make: typeof express, w1: Backend): Promise<number> {
  const handler = expressLimpet({ ...poolOf(w1), bodyLimit: 1000 })
  onTestFinished(() => handler.close())
  const parsers = [make.json(), make.urlencoded({ extended: true }), make.text(), make.raw()]
  return serve(make().use(multer().none(), ...parsers, handler))
}

async function startKoa(parser: Koa.Middleware, w1: Backend): Promise<number> {
  const middleware = koaLimpet({ ...poolOf(w1), bodyLimit: 1000 })
  onTestFinished(() => middleware.close())
  const app = new Koa().use(parser).use(middleware)
  app.on('error', () => {})
  return serve(app.callback())
}

/** The body that the backend reads, as a value. */
function valueOf(type: string, text: string): unknown {
  if (type === 'application/json') return JSON.parse(text)
  if (type === 'text/plain') return text
  // A parser does not say whether a list was written with brackets.
  return [...new URLSearchParams(text)].map(([name, value]) => [name.replace(/\[\]$/, ''), value])
}

describe.each(APPS)('%s', (_, start) => {
  const FORM = 'application/x-www-form-urlencoded'

  test.each([
    ['application/json', '{ "price": 2.50, "name": "\u00e9" }\n'],
    [FORM, 'a=1&b=x+y%26'],
    [FORM, 'a=1&a=2&user[name]=x&user[tags][]=1&user[tags][]=2'],
    ['text/plain', ' caf\u00e9 '],
  ])('a body that was parsed arrives with the same value: %s %s', async (type, body) => {
    const w1 = await startBackend('w1', async ({ request, response }) => {
      response.end(await buffer(request))
    })
    const port = await start(w1)
    const bytes = Buffer.from(body)
    for (const [fields, sent] of [
      [{}, bytes],
      [{}, [bytes]],
      [{ 'Content-Encoding': 'gzip' }, gzipSync(bytes)],
      [{ 'Content-Encoding': 'gzip' }, [gzipSync(bytes)]],
    ] as const) {
      const answer = await ask(port, {
        method: 'POST',
        headers: { 'Content-Type': type, ...fields },
        body: sent,
      })
      expect([answer.status, valueOf(type, answer.text)]).toEqual([200, valueOf(type, body)])
      const { lines } = w1.last
      expect(joinedValue(lines, 'content-length')).toBe(String(Buffer.byteLength(answer.text)))
      expect(joinedValue(lines, 'transfer-encoding')).toBeUndefined()
      expect(joinedValue(lines, 'content-encoding')).toBeUndefined()
    }
    expect(w1.malformed).toEqual([])
  })

  test('a body that is longer than the limit once it is inflated is 413', async () => {
    const w1 = await startBackend('w1')
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }
    const asked: Asked = { method: 'POST', headers, body: gzipSync(`{"a":"${'x'.repeat(2000)}"}`) }
    expect((await ask(await start(w1), asked)).status).toBe(413)
    expect(w1.seen).toEqual([])
  })
})

test('an upload whose parts were parsed is 500, and the error says why', async () => {
  const w1 = await startBackend('w1')
  const answer = await ask(await startExpress(express, w1), {
    method: 'POST',
    headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
    body: '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
  })
  expect(answer.status).toBe(500)
  expect(answer.text).toContain('the parts of an upload cannot be written again')
  expect(w1.seen).toEqual([])
})

test('one warning in a process says how to avoid the cost', async () => {
  const program = `
    import { createServer } from 'node:http'
    import { limpet } from '@limpet/express'
    import express from 'express'
    const backend = createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1', () => {
      const url = 'http://127.0.0.1:' + backend.address().port
      const gateway = limpet({ affinity: [], backends: [{ id: 'a', url }] })
      const server = express().use(express.json(), gateway).listen(0, '127.0.0.1', async () => {
        for (let count = 0; count < 2; count += 1) {
          const headers = { 'Content-Type': 'application/json' }
          await fetch('http://127.0.0.1:' + server.address().port, { method: 'POST', headers, body: '{ }' })
        }
        process.exit()
      })
    })`
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: new URL('..', import.meta.url),
  })
  expect(stderr.match(/LIMPET_PARSED_BODY.*Mount limpet before body parsers/g)).toHaveLength(1)
})
