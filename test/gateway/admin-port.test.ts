import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import type { BackendResponse } from '../support/http-client.ts'
import { JSON_TYPE } from './operator-requests.ts'

const TOKEN = 'a-token-of-the-tests-01'

describe('the admin port', () => {
  test('says no to all that is malformed, and changes nothing [T-80, T-81, T-82]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(fileOf([w1, w2]))
    const row = '/pools/web/backends/w1'
    const before = (await gateway.admin('GET', '/stats.json')).text
    const asked: readonly [status: number, answer: Promise<BackendResponse>][] = [
      [404, gateway.admin('GET', '/pools/web')],
      [404, gateway.admin('PATCH', '/pools/none/backends/w1', { state: 'maint' })],
      [404, gateway.admin('PATCH', '/pools/web/backends/w9', { state: 'maint' })],
      [404, gateway.admin('DELETE', '/pools/web/backends/w9', undefined, JSON_TYPE)],
      [404, gateway.admin('PATCH', '/pools/web/backends/w1/', { state: 'maint' })],
      [405, gateway.admin('POST', '/healthz', {})],
      [405, gateway.admin('POST', row, {})],
      [415, gateway.admin('PATCH', row, '{"state":"maint"}', { 'Content-Type': 'text/plain' })],
      [415, gateway.admin('DELETE', row)],
      [400, gateway.admin('PATCH', row, 'no json')],
      [400, gateway.admin('PATCH', row, '[]')],
      [400, gateway.admin('PATCH', row, 'null')],
      [400, gateway.admin('PATCH', row, {})],
      [400, gateway.admin('PATCH', row, { state: 'down' })],
      [400, gateway.admin('PATCH', row, { state: 'drain', deadline: '365d' })],
      [400, gateway.admin('PATCH', row, { state: 'drain', deadline: 600 })],
      [400, gateway.admin('PATCH', row, { state: 'drain', deadline: '-1s' })],
      [400, gateway.admin('PATCH', row, { state: 'drain', spread: [] })],
      [400, gateway.admin('PATCH', row, '{"state":"drain","then":"ready"}')],
      [400, gateway.admin('PATCH', row, { state: 'ready', deadline: '1s' })],
      [400, gateway.admin('PATCH', row, { weight: 3, state: 'drain', deadline: '1y' })],
      [400, gateway.admin('PATCH', row, { deadline: '1s' })],
      [404, gateway.admin('GET', '/pools/none/backends/w1')],
      [404, gateway.admin('GET', '/pools/constructor/backends/w1')],
      [404, gateway.admin('GET', '/pools/web/backends/w9')],
      [400, gateway.admin('PATCH', row, { weight: 3, state: 'down' })],
      [400, gateway.admin('PATCH', row, { weight: -1 })],
      [400, gateway.admin('PATCH', row, { url: 'http://127.0.0.1:1' })],
      [400, gateway.admin('POST', '/pools/web/backends', { id: 'a b', url: 'http://127.0.0.1:1' })],
      [400, gateway.admin('POST', '/pools/web/backends', { id: 'w3' })],
      [409, gateway.admin('POST', '/pools/web/backends', { id: 'w1', url: 'http://127.0.0.1:1' })],
      [413, gateway.admin('PATCH', row, `"${'x'.repeat(70_000)}"`)],
      [421, gateway.admin('GET', '/stats.json', undefined, { Host: 'evil.example' })],
      [421, gateway.admin('PATCH', row, { state: 'maint' }, { Host: 'localhost.evil.example' })],
      [403, gateway.admin('PATCH', row, { state: 'maint' }, { Origin: 'http://evil.example' })],
      [403, gateway.admin('PATCH', row, { state: 'maint' }, { 'Sec-Fetch-Site': 'cross-site' })],
    ]
    for (const [status, answer] of asked) {
      const { status: got, text } = await answer
      expect([got, Object.keys(JSON.parse(text) as object)]).toEqual([status, ['code', 'message']])
    }
    const after = (await gateway.admin('GET', '/stats.json')).text
    const withoutTime = (text: string): string => text.replaceAll(/"(?:uptimeMs|atMs)":\d+/g, '')
    expect(withoutTime(after)).toBe(withoutTime(before))
  })

  test('adds and removes backends, and asks for its token where it has one [T-83, T-84]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(
      {
        ...fileOf([w1]),
        admin: { listen: '127.0.0.1:0', token: 'env:LIMPET_TEST_TOKEN' },
      },
      [],
      { LIMPET_TEST_TOKEN: TOKEN },
    )
    const bearer = { Authorization: `Bearer ${TOKEN}` }
    for (const headers of [{}, { Authorization: 'Bearer another' }, { Authorization: `Basic ${TOKEN}` }]) {
      const refused = await gateway.admin('POST', '/pools/web/backends', w2.options, headers)
      expect([refused.status, refused.header('www-authenticate')]).toEqual([401, 'Bearer'])
    }
    expect((await gateway.admin('POST', '/pools/web/backends', w2.options, bearer)).status).toBe(201)
    expect(
      (await gateway.admin('DELETE', '/pools/web/backends/w1', undefined, { ...bearer, ...JSON_TYPE }))
        .status,
    ).toBe(204)
    expect(await gateway.browser().visit()).toBe('w2')
    // A flood on the shop's port does not affect the admin port.
    expect((await gateway.admin('GET', '/healthz')).status).toBe(200)
    expect(await gateway.browser().visit()).toBe('w2')
    await gateway.logged('admin_denied', 3)
  })

  test('carries no proxied traffic, and the proxy answers none of its paths', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1]))
    expect((await gateway.ask({ path: '/stats.json' })).echo.id).toBe('w1')
    expect((await gateway.admin('GET', '/cart')).status).toBe(404)
    expect(w1.seen).toHaveLength(1)
  })
})
