import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { statsPage } from '@limpet/stats'
import express from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { fieldsOf, nodeOperator, poolOf, visit } from '../support/operator.ts'

describe('the stats page', () => {
  test('escapes all text', async () => {
    const affinity = poolOf(1)
    const evil = `"'><script>alert(1)</script>`
    affinity.pool.noteCheck('w1', { healthy: false, problem: evil, durationMs: 1 })
    const operator = await nodeOperator(affinity)
    const query = encodeURIComponent(evil)
    for (const path of [
      `?filter=${query}`,
      `?page-${query}=${query}&sort=${query}`,
      `?pool=web&backend=w1&x=${query}`,
      `?do=drain&pool=web&backend=w1&value=${query}&filter=${query}`,
      `?do=weight&pool=web&backend=w1&value=${query}`,
      `?do=${query}&pool=web&backend=w1`,
      `?do=ready&pool=${query}&backend=${query}`,
      `?pool=${query}&backend=${query}`,
    ]) {
      const { text: markup } = await operator.get(path)
      expect(markup).not.toContain('<script>alert')
      expect(markup).not.toMatch(/="[^"]*'>/)
    }
  })

  test('changes nothing for a GET, a page of another site, or a token that is not its own', async () => {
    const affinity = poolOf(2)
    const token = 'Basic b3BzOnNlY3JldA=='
    const operator = await nodeOperator(affinity, { authorize: () => true }, { Authorization: token })
    const query = '?do=maint&pool=web&backend=w1'
    const fields = fieldsOf((await operator.get(query)).text)
    await operator.get(`${query}&token=${fields['token']}`)
    const foreign: readonly Readonly<Record<string, string>>[] = [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Authorization: 'Basic b3RoZXI6c2VjcmV0' },
    ]
    for (const headers of foreign) expect((await operator.post(fields, headers)).status).toBe(403)
    for (const wrong of ['', 'x', `${fields['token']}x`])
      expect((await operator.post({ ...fields, token: wrong })).status).toBe(403)
    expect((await operator.post(fields, { 'Content-Type': 'text/plain' })).status).toBe(415)
    expect(affinity.stats().backends[0]?.state).toBe('ready')
    expect((await operator.post(fields, { 'Sec-Fetch-Site': 'same-origin' })).status).toBe(303)
    expect(affinity.stats().backends[0]?.state).toBe('maint')
  })

  test('refuses wrong input and changes nothing', async () => {
    const affinity = poolOf(2)
    const operator = await nodeOperator(affinity)
    const fields = fieldsOf((await operator.get('?do=drain&pool=web&backend=w1&value=10m')).text)
    const wrong: readonly [number, Readonly<Record<string, string>>][] = [
      [404, { pool: 'none' }],
      [404, { pool: '__proto__' }],
      [404, { backend: 'w9' }],
      [400, { do: 'kill' }],
      [400, { value: '0' }],
      [400, { value: '365d' }],
      [400, { value: 'soon' }],
      [400, { do: 'weight', value: '-1' }],
      [400, { do: 'weight', value: '257' }],
      [413, { value: 'x'.repeat(20_000) }],
    ]
    const before = affinity.stats().backends
    for (const [status, change] of wrong) {
      const answer = await operator.post({ ...fields, ...change })
      expect([change, answer.status]).toEqual([change, status])
    }
    expect(affinity.stats().backends).toMatchObject(
      before.map(({ id, state, weight }) => ({ id, state, weight })),
    )
    const away = await operator.post({ ...fields, back: 'https://evil.example/?filter=a' })
    expect(away.header('location')).toBe('?filter=a#b-web-w1')
  })

  test('answers this machine alone unless told otherwise', async () => {
    const affinity = poolOf(1)
    const operator = await nodeOperator(affinity)
    const refused: readonly Readonly<Record<string, string>>[] = [
      { Host: 'evil.example' },
      { Host: '127.0.0.1.evil.example' },
      { 'X-Forwarded-For': '127.0.0.1' },
      { Forwarded: 'for=127.0.0.1' },
    ]
    for (const headers of refused) {
      const answer = await operator.get('', headers)
      expect([headers, answer.status]).toEqual([headers, 403])
      expect(answer.text).not.toContain('10.0.0.1')
    }
    expect((await operator.get('', { Host: 'localhost:1' })).status).toBe(200)
    // A socket that comes from no address is not loopback.
    const socketPath = join(tmpdir(), `limpet-${randomUUID()}.sock`)
    const page = statsPage(affinity)
    const server = createServer((request, response) => page(request, response)).listen(socketPath)
    onTestFinished(() => {
      server.close()
      rmSync(socketPath, { force: true })
    })
    await once(server, 'listening')
    const asked = httpRequest({ socketPath, headers: { Host: 'localhost', Connection: 'close' } }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    await text(response)
    expect(response.statusCode).toBe(403)
  })

  test('asks authorize, and binds forms to its text', async () => {
    const affinity = poolOf(1)
    const users = { a: 'ann', b: 'bob' } as Readonly<Record<string, string>>
    const authorize = async ({ headers }: IncomingMessage): Promise<string | boolean> =>
      users[String(headers['x-user'])] ?? false
    const operator = await nodeOperator(affinity, { authorize })
    expect((await operator.get()).status).toBe(403)
    const fields = fieldsOf((await operator.get('?do=maint&pool=web&backend=w1', { 'X-User': 'a' })).text)
    expect((await operator.post(fields)).status).toBe(403)
    expect((await operator.post(fields, { 'X-User': 'b' })).status).toBe(403)
    expect((await operator.post(fields, { 'X-User': 'a' })).status).toBe(303)
  })

  test('a failing authorize is an error of the app, and shows nothing', async () => {
    const page = statsPage(poolOf(1), {
      authorize: () => {
        throw new Error('the user database is down')
      },
    })
    const plain = await ask(await serve((request, response) => page(request, response)))
    expect([plain.status, plain.text]).toEqual([500, 'Internal Server Error'])
    const app = express()
      .use(page)
      .use(((error: Error, _request, response, _next) => {
        response.status(500).send(error.message)
      }) as express.ErrorRequestHandler)
    expect((await ask(await serve(app))).text).toBe('the user database is down')
  })

  test('needs nothing from outside: one strict document of less than 30 KB', async () => {
    const affinity = poolOf(10)
    for (let n = 0; n < 200; n += 1) await visit(affinity)
    affinity.pool.drain('w1')
    const operator = await nodeOperator(affinity)
    const list = await operator.get()
    expect(list.body.length).toBeLessThan(30_000)
    expect(list.text).not.toMatch(/\b(?:src|style|on\w+)=|<link|@import|url\(/)
    const policy = list.header('content-security-policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']*'; script-src 'sha256-[^']*';/)
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'")
    expect(policy).not.toContain('unsafe')
    expect(list.header('cache-control')).toBe('no-store')
  })
})
