import { expect, it } from 'vitest'
import { prettyLine } from './pretty-line.ts'

const REQUEST = {
  level: 30,
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  event: 'request',
  method: 'GET',
  host: 'shop.example',
  path: '/cart',
  status: 200,
  pool: 'web',
  backend: 'web1',
  affinity: 'matched',
  attempts: 1,
  totalMs: 3.8,
  client: '192.0.2.7',
  end: 'complete',
}

it('is one line for a request', () => {
  expect(prettyLine(JSON.stringify(REQUEST))).toBe(
    '03:04:05.006 200 GET shop.example/cart -> web/web1 (matched, 3.8 ms, 192.0.2.7)\n',
  )
})

it('tells further attempts, and a request that did not end well', () => {
  const { backend: _backend, ...rest } = REQUEST
  const line = { ...rest, status: 499, attempts: 3, end: 'client_left' }
  expect(prettyLine(JSON.stringify(line))).toBe(
    '03:04:05.006 499 GET shop.example/cart -> no backend (matched, 3.8 ms, 192.0.2.7, 3 attempts, client_left)\n',
  )
})

it('names the trace of a request', () => {
  const line = { ...REQUEST, traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
  expect(prettyLine(JSON.stringify(line))).toContain(
    '(matched, 3.8 ms, 192.0.2.7, trace 0af7651916cd43dd8448eb211c80319c)\n',
  )
})

it('shows control characters as escapes', () => {
  const line = prettyLine(JSON.stringify({ ...REQUEST, path: '/\u001B[2J\n' }))
  expect(line).toContain('/\\x1b[2J\\x0a -> ')
  expect(line.split('\n')).toHaveLength(2)
})

it('is one line for an event', () => {
  const line = prettyLine(JSON.stringify({ level: 40, time: 0, event: 'health_changed', backend: 'web1' }))
  expect(line.trimEnd().split('\n')).toHaveLength(1)
  expect(line).toContain('health_changed')
})
