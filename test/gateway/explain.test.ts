import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { limpet } from '../support/limpet-command.ts'
import { JSON_TYPE } from './operator-requests.ts'

/** `limpet explain`, and the admin port's POST /explain. */

async function gatewayOf(more: object = {}, pool: object = {}) {
  const gateway = await GatewayProcess.start(fileOf(await startBackends('w1', 'w2'), more, pool))
  const admin = ['--admin', `http://127.0.0.1:${gateway.adminPort}`]
  return { gateway, run: async (...args: string[]) => limpet(['explain', ...args, ...admin]) }
}

function fileWith(text: string): string {
  const file = join(tmpdir(), `limpet-explain-${process.pid}-${Math.random()}.txt`)
  writeFileSync(file, text)
  return file
}

describe('limpet explain', () => {
  test.each([1, 2])('tells the backend of a cookie, and why it was left, with %i workers', async workers => {
    const { gateway, run } = await gatewayOf({ workers })
    const browser = gateway.browser()
    const home = await browser.visit()
    const other = home === 'w1' ? 'w2' : 'w1'
    const kept = await run('--cookie', browser.cookieHeader)
    expect([kept.code, kept.error]).toEqual([0, ''])
    expect(kept.out).toMatch(
      new RegExp(`^web: the key of the cookie policy names ${home}, which can take the request.$`, 'm'),
    )
    expect(kept.out).toMatch(
      new RegExp(`^cookie +cookie SERVERID +v1.*characters\\) +names ${home}; signed; it is good$`, 'm'),
    )
    expect(kept.out).not.toContain(browser.cookieHeader.slice(9, 30))

    await gateway.admin('PATCH', `/pools/web/backends/${home}`, { state: 'maint' })
    const [, value = ''] = browser.cookieHeader.split('SERVERID=')
    const left = await run('--cookie', value)
    expect(left.out).toMatch(
      new RegExp(
        `^web: the session's backend ${home} is in maintenance, so round-robin gives it ${other}.$`,
        'm',
      ),
    )
    expect(left.out).toMatch(new RegExp(`^${home} +no +is in maintenance$`, 'm'))
    expect(left.out).toMatch(new RegExp(`^${other} +yes$`, 'm'))
  })

  test('reads the head of a request from a file, as curl shows it, too', async () => {
    const { gateway, run } = await gatewayOf()
    const browser = gateway.browser()
    const home = await browser.visit()
    const plain = fileWith(`GET /cart HTTP/1.1\nHost: a\nCookie: ${browser.cookieHeader}\n\nbody: no`)
    const curls = fileWith(
      `* Trying\n> GET / HTTP/1.1\n> Host: a\n> Cookie: ${browser.cookieHeader}\n> \n< HTTP/1.1 200 OK\n`,
    )
    for (const file of [plain, curls]) {
      const { code, out } = await run('--request', file, '--json')
      expect(code).toBe(0)
      expect(JSON.parse(out)).toMatchObject({ pool: 'web', backend: home, by: 'key', status: 'matched' })
    }
  })

  test('asks the pool of the routes, or the named one', async () => {
    const [shop, api] = [await startBackend('shop1'), await startBackend('api1')]
    const gateway = await GatewayProcess.start({
      listen: '127.0.0.1:0',
      admin: { listen: '127.0.0.1:0' },
      routes: [
        { host: 'shop.example', pool: 'shop' },
        { path: '/api/', pool: 'api' },
      ],
      pools: { shop: { backends: [shop.options] }, api: { backends: [api.options] } },
    })
    const answerTo = async (question: object): Promise<Record<string, unknown>> =>
      JSON.parse((await gateway.admin('POST', '/explain', question)).text) as Record<string, unknown>
    expect(await answerTo({ headers: [['host', 'shop.example']] })).toMatchObject({ backend: 'shop1' })
    expect(await answerTo({ url: '/api/x' })).toMatchObject({ backend: 'api1' })
    expect(await answerTo({ pool: 'shop' })).toMatchObject({ backend: 'shop1' })
    expect(await answerTo({})).toMatchObject({ code: 'NO_ROUTE' })
    expect(await answerTo({ pool: 'no' })).toMatchObject({
      message: 'there is no pool no; there are shop, api',
    })
  })

  test('changes nothing', async () => {
    const { gateway } = await gatewayOf()
    const browser = gateway.browser()
    await browser.visit()
    const figures = async (): Promise<unknown> => {
      const { pools } = JSON.parse((await gateway.admin('GET', '/stats.json')).text) as {
        pools: { web: { requests: number; affinity: unknown; backends: { sessions: unknown }[] } }
      }
      const { requests, affinity, backends } = pools.web
      return { requests, affinity, sessions: backends.map(({ sessions }) => sessions) }
    }
    const before = await figures()
    const next: { backend: string }[] = []
    for (const Cookie of ['SERVERID=x', browser.cookieHeader, 'a=b']) {
      const { text } = await gateway.admin('POST', '/explain', { headers: [['Cookie', Cookie]] })
      next.push(JSON.parse(text) as { backend: string })
    }
    expect(await figures()).toEqual(before)
    expect(next[0]?.backend).toBe(next[2]?.backend)
    expect(await gateway.browser().visit()).toBe(next[0]?.backend)
  })
})

describe('POST /explain', () => {
  test('is protected as every other request of an operator', async () => {
    const { gateway } = await gatewayOf({
      admin: { listen: '127.0.0.1:0', token: 'a-token-of-the-explain-tests-01' },
    })
    expect((await gateway.admin('POST', '/explain', {})).status).toBe(401)
    const wrong = { ...JSON_TYPE, Authorization: 'Bearer no' }
    expect((await gateway.admin('POST', '/explain', {}, wrong)).status).toBe(401)
    const right = { ...JSON_TYPE, Authorization: 'Bearer a-token-of-the-explain-tests-01' }
    expect((await gateway.admin('POST', '/explain', {}, right)).status).toBe(200)
    expect((await gateway.admin('GET', '/explain', undefined, right)).status).toBe(405)
  })

  test('names each mistake of a question', async () => {
    const { gateway } = await gatewayOf()
    const answer = await gateway.admin('POST', '/explain', {
      headers: [['a'], ['b', 'secret\u0000text']],
      metod: 'GET',
      client: 'here',
      url: 'a b',
    })
    expect(answer.status).toBe(400)
    for (const problem of [/headers\[0\] is not a pair/, /headers\[1\]/, /metod/, /url/])
      expect(answer.text).toMatch(problem)
    expect(answer.text).not.toContain('secret')
    const noAddress = await gateway.admin('POST', '/explain', { client: 'here' })
    expect([noAddress.status, noAddress.text]).toEqual([400, expect.stringMatching(/client .*an address/)])
    const forged = await gateway.admin('POST', '/explain', { pool: 'web', method: 'CONNECT', url: '/' })
    expect([forged.status, JSON.parse(forged.text)]).toMatchObject([200, { error: { statusCode: 501 } }])
  })
})
