import { readFileSync } from 'node:fs'
import { type Affinity, createAffinity } from '@limpet/core'
import { metrics } from '@limpet/metrics'
import { describe, expect, test } from 'vitest'
import { readme, tableOf } from '../support/readme.ts'
import { REQUEST } from '../support/request-head.ts'
import { samplesOf } from './samples.ts'

const SECRETS = ['a-secret-of-the-tests-0123456789abcdef']

async function visit(affinity: Affinity, statusCode = 200): Promise<void> {
  const lease = await affinity.select(REQUEST)
  lease.responded({ statusCode, headers: {} })
  lease.release()
}

async function shop(): Promise<Affinity> {
  const affinity = createAffinity({
    name: 'web',
    backends: ['w1', 'w2', 'w3'].map(id => ({ id, url: `http://${id}.test` })),
    secrets: SECRETS,
  })
  for (const statusCode of [200, 200, 503]) await visit(affinity, statusCode)
  affinity.pool.setState('w2', 'maint')
  affinity.pool.noteCheck('w3', { healthy: false, problem: 'status 500', durationMs: 25 })
  affinity.pool.setHealthy('w3', false)
  return affinity
}

const TEXT = 'text/plain;version=0.0.4'
const OPEN = 'application/openmetrics-text;version=1.0.0'
/** As Prometheus asks. */
const PROMETHEUS = `${OPEN},application/openmetrics-text;version=0.0.1;q=0.75,${TEXT};q=0.5,*/*;q=0.1`

const asked = (accept?: string, url = '/metrics') => ({ headers: { accept }, url })

describe('the metrics of a pool', () => {
  test('are text that Prometheus takes, with values of the figures', async () => {
    const { contentType, text } = metrics(await shop()).expose(asked(TEXT))
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    const value = samplesOf(text)
    expect(value('limpet_requests_total', { pool: 'web', backend: 'w1', code: '2xx' })).toBe(1)
    expect(value('limpet_requests_total', { pool: 'web', backend: 'w3', code: '5xx' })).toBe(1)
    expect(value('limpet_affinity_total', { pool: 'web', status: 'none' })).toBe(3)
    expect(value('limpet_sessions', { pool: 'web', backend: 'w1' })).toBe(1)
    expect(value('limpet_sessions_estimated', { pool: 'web', backend: 'w1' })).toBe(1)
    expect(value('limpet_backend_up', { pool: 'web', backend: 'w3' })).toBe(0)
    expect(value('limpet_health_check_duration_seconds', { pool: 'web', backend: 'w3' })).toBe(0.025)
    for (const [state, is] of Object.entries({ ready: 0, drain: 0, maint: 1 }))
      expect(value('limpet_backend_state', { pool: 'web', backend: 'w2', state })).toBe(is)
    expect(value('limpet_request_duration_seconds_count', { pool: 'web' })).toBe(3)
    expect(value('limpet_request_duration_seconds_bucket', { pool: 'web', le: '+Inf' })).toBe(3)
  })

  test('have the names of HAProxy’s exporter where these are asked for', async () => {
    const value = samplesOf(metrics(await shop()).expose(asked(TEXT, '/metrics?names=haproxy')).text)
    for (const [server, state] of Object.entries({ w1: 'UP', w2: 'MAINT', w3: 'DOWN' })) {
      for (const one of ['UP', 'DOWN', 'MAINT', 'DRAIN']) {
        const labels = { proxy: 'web', server, state: one }
        expect(value('haproxy_server_status', labels)).toBe(Number(one === state))
      }
    }
    expect(value('haproxy_backend_http_responses_total', { proxy: 'web', code: '2xx' })).toBe(2)
    expect(value('haproxy_backend_active_servers', { proxy: 'web' })).toBe(1)
    expect(value('haproxy_server_check_failures_total', { proxy: 'web', server: 'w3' })).toBe(1)
  })

  test('refuse other names', async () => {
    const exposed = metrics(await shop())
    expect(() => exposed.expose(asked(TEXT, '/metrics?names=nginx'))).toThrow(/names got "nginx"/)
  })

  test('are OpenMetrics where that is preferred', async () => {
    const { contentType, text } = metrics(await shop()).expose(asked(PROMETHEUS))
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(text).toMatch(/\n# EOF\n$/)
    expect(text).toContain('# TYPE limpet_requests counter\n')
    expect(text).toContain('limpet_requests_total{pool="web",backend="w1",code="2xx"} 1\n')
    expect(text).toContain('limpet_request_duration_seconds_bucket{pool="web",le="1.0"} 3\n')
    expect(text).not.toMatch(/^# TYPE \S*_total /m)
    expect(text.match(/^# TYPE (\S+)/gm)).toEqual([...new Set(text.match(/^# TYPE (\S+)/gm))])
  })

  test.each([
    [undefined, 'text/plain'],
    ['', 'text/plain'],
    ['*/*', 'text/plain'],
    ['text/html,*/*;q=0.8', 'text/plain'],
    [`${OPEN};q=0`, 'text/plain'],
    [`${OPEN};q=0.4,${TEXT};q=0.5`, 'text/plain'],
    [`${OPEN};q=nonsense`, 'text/plain'],
    ['APPLICATION/OpenMetrics-Text', 'application/openmetrics-text'],
    [OPEN, 'application/openmetrics-text'],
  ])('for Accept %s are %s', async (accept, type) => {
    expect(metrics(await shop()).expose(asked(accept)).contentType).toMatch(new RegExp(`^${type};`))
  })

  test('end for a backend that has left', async () => {
    const affinity = await shop()
    const exposed = metrics(affinity)
    expect(exposed.expose().text).toContain('backend="w1"')
    affinity.pool.remove('w1')
    expect(exposed.expose().text).not.toContain('backend="w1"')
  })

  test('are those of the README, with their types and labels', async () => {
    const affinity = await shop()
    affinity.pool.drain('w2')
    const { text } = metrics(affinity).expose(asked(TEXT))
    const told = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => {
      const found = [...text.matchAll(new RegExp(`^${name}(?:_count)?\\{(.*)\\} `, 'gm'))]
      const labels = found.map(([, list = '']) => [...list.matchAll(/(\w+)="/g)].map(([, label]) => label))
      return [`\`${name}\``, type, labels[0]?.map(label => `\`${label}\``).join(', ') ?? '']
    })
    const rows = tableOf(readme('packages/metrics'), 'metrics').map(row => row.slice(0, 3))
    // A pool without a refused request has no sample of it.
    expect(told.map(row => (row[2] === '' ? row.slice(0, 2) : row))).toEqual(
      rows.map((row, index) => (told[index]?.[2] === '' ? row.slice(0, 2) : row)),
    )
  })

  test('are those that the dashboard asks for', async () => {
    const affinity = await shop()
    affinity.pool.drain('w2')
    const { text } = metrics(affinity).expose(asked(TEXT))
    const dashboard = readFileSync(new URL('../../examples/grafana/limpet.json', import.meta.url), 'utf8')
    const names = new Set(dashboard.match(/limpet_[a-z_]+/g))
    expect(names.size).toBeGreaterThan(10)
    for (const name of names) expect(text).toMatch(new RegExp(`^(?:# TYPE )?${name}[ {]`, 'm'))
  })

  test('are those of all pools, each name once', async () => {
    const other = createAffinity({
      name: 'api',
      backends: [{ id: 'a1', url: 'http://a1.test' }],
      secrets: SECRETS,
    })
    const { text } = metrics([await shop(), other]).expose()
    const value = samplesOf(text)
    expect(value('limpet_requests_queued', { pool: 'web' })).toBe(0)
    expect(value('limpet_requests_queued', { pool: 'api' })).toBe(0)
    expect(text.match(/^# TYPE limpet_requests_queued /gm)).toHaveLength(1)
  })
})
