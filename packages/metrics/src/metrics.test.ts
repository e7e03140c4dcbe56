import { createAffinity } from '@limpet/core'
import { expect, it } from 'vitest'
import { metrics, namesIn } from './metrics.ts'

const affinity = createAffinity({ name: 'web', backends: [{ id: 'w1', url: 'http://a' }], affinity: [] })

it.each([
  [undefined, 'text/plain'],
  ['*/*', 'text/plain'],
  ['application/openmetrics-text; version=1.0.0', 'application/openmetrics-text'],
  ['application/openmetrics-text;q=0.5,text/plain;q=0.4', 'application/openmetrics-text'],
  ['application/openmetrics-text;q=0.4, text/plain;q=0.5', 'text/plain'],
  ['application/openmetrics-text;q=0', 'text/plain'],
  ['APPLICATION/OpenMetrics-Text', 'application/openmetrics-text'],
  ['text/html', 'text/plain'],
])('answers Accept %j with %s', (accept, type) => {
  const { contentType, text } = metrics(affinity).expose({ headers: { accept } })
  expect(contentType.split(';')[0]).toBe(type)
  expect(text.endsWith('# EOF\n')).toBe(type === 'application/openmetrics-text')
})

it('has the names that the query asks for', () => {
  expect([namesIn(), namesIn('/metrics'), namesIn('/metrics?a=1&names=haproxy')]).toEqual([
    'limpet',
    'limpet',
    'haproxy',
  ])
  expect(() => namesIn('/metrics?names=nginx')).toThrow('limpet or haproxy')
  const { text } = metrics([affinity]).expose({ headers: {}, url: '/?names=haproxy' })
  expect(text).toContain('haproxy_server_status{proxy="web",server="w1",state="UP"} 1')
})
