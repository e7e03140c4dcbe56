import { describe, expect, test } from 'vitest'
import { mergeFields } from './merged-fields.ts'

function merged(name: string, application: unknown, backend: string | string[]): unknown {
  const fields = { [name]: backend, 'x-other': 'backend' }
  mergeFields(fields, asked => (asked === name ? application : undefined))
  expect(fields['x-other']).toBe('backend')
  return fields[name]
}

describe('a field that the application and the backend have', () => {
  test.each<[string, unknown, string | string[], string]>([
    ['vary', 'Origin', 'Accept-Encoding', 'Origin, Accept-Encoding'],
    ['vary', 'Origin', 'origin, accept', 'Origin, accept'],
    ['vary', 'Origin', '*', '*'],
    ['vary', ['Origin', 'Accept'], ['Accept', 'Cookie'], 'Origin, Accept, Cookie'],
    ['vary', '', 'Accept', 'Accept'],
    ['server-timing', 'app;dur=1', 'db;desc="a, b"', 'app;dur=1, db;desc="a, b"'],
    ['access-control-allow-methods', 'GET, PUT', 'GET,POST', 'GET, PUT, POST'],
    ['access-control-allow-headers', 'X-A', 'x-a, X-B', 'X-A, X-B'],
    ['access-control-expose-headers', 'X-A', 'X-B', 'X-A, X-B'],
    ['access-control-allow-origin', 'https://a.example', '*', 'https://a.example'],
    ['access-control-allow-credentials', 'true', 'false', 'true'],
    ['access-control-max-age', 60, '5', '60'],
    ['cache-control', 'no-store', 'public, max-age=60', 'no-store, max-age=60'],
    ['cache-control', 'max-age=1', 'Max-Age=60, private="a, b"', 'max-age=1, private="a, b"'],
  ])('%s %j and %j is %j', (name, application, backend, expected) => {
    expect(merged(name, application, backend)).toBe(expected)
  })

  test("is the backend's where it is no list", () => {
    expect(merged('content-type', 'text/html', 'text/plain')).toBe('text/plain')
  })
})

test('a field that only one of them has is not touched', () => {
  const fields = { vary: ['a', 'b'] }
  mergeFields(fields, () => undefined)
  expect(fields).toEqual({ vary: ['a', 'b'] })
  mergeFields(fields, name => (name === 'cache-control' ? 'no-store' : undefined))
  expect(fields).toEqual({ vary: ['a', 'b'] })
})
