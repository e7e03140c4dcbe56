import { describe, expect, it } from 'vitest'
import { createAffinity } from '../affinity.ts'
import type { RequestHead } from '../head.ts'
import { type IgnoreOptions, parseIgnore } from './ignore.ts'
import { OptionError } from '../options/option.ts'
import { BARE_REQUEST } from '../request.fixture.ts'

function request(method: string, url: string, cookie?: string): RequestHead {
  const headers = { host: 'shop.test', ...(cookie === undefined ? {} : { cookie }) }
  return { ...BARE_REQUEST, method, url, rawHeaders: Object.entries(headers).flat(), headers }
}

describe('ignored requests', () => {
  it.each<[IgnoreOptions[], string, string, boolean]>([
    [[], 'GET', '/', false],
    [[{ method: 'OPTIONS' }], 'OPTIONS', '/cart', true],
    [[{ method: 'OPTIONS' }], 'GET', '/cart', false],
    [[{ path: '/assets/' }], 'GET', '/assets/a.css', true],
    [[{ path: '/assets' }], 'GET', '/assets?v=1', true],
    [[{ path: '/assets' }], 'GET', '/assets-of-mine', false],
    [[{ path: '/assets/' }], 'GET', 'http://shop.test/assets/a.css', true],
    [[{ path: '/assets/', method: 'GET' }], 'POST', '/assets/a', false],
    [[{ path: '/assets/', method: 'GET' }, { method: 'POST' }], 'POST', '/', true],
  ])('by %j: %s %s', (rules, method, url, expected) => {
    expect(parseIgnore('ignore', rules)(request(method, url))).toBe(expected)
  })

  it.each<[string, unknown]>([
    ['ignore', '/assets/'],
    ['ignore[0]', [{}]],
    ['ignore[0]', ['OPTIONS']],
    ['ignore[0].method', [{ method: 'options' }]],
    ['ignore[0].path', [{ path: 'assets' }]],
    ['ignore[0].host', [{ host: 'a' }]],
  ])('wrong: %s', (option, ignore) => {
    expect(() => parseIgnore('ignore', ignore)).toThrow(
      expect.objectContaining({ name: OptionError.name, option }),
    )
  })

  it('is placed and answered without a look at its cookie, which the backend does not see either', () => {
    const affinity = createAffinity({
      backends: ['a', 'b', 'c'].map(id => ({ id, url: `http://${id}.test` })),
      secrets: ['ignore-0123456789abcdefghijklmnopqrstuvwxyz'],
      ignore: [{ path: '/assets/' }],
    })
    const ask = (
      url: string,
      cookie?: string,
    ): { id: string; status: string; told: unknown; lines: string[] } => {
      const lease = affinity.select(request('GET', url, cookie))
      if (lease instanceof Promise) throw new TypeError('nothing here waits')
      const told = lease.responded({ statusCode: 200, headers: {} })['set-cookie']
      lease.release()
      return { id: lease.backend.id, status: lease.status, told, lines: lease.requestLines() }
    }
    const cookie = String(ask('/').told).split(';')[0]
    const ignored = [1, 2, 3].map(() => ask('/assets/a.css', cookie))
    expect(new Set(ignored.map(({ id }) => id)).size).toBe(3)
    expect(ignored.map(({ status, told }) => [status, told])).toEqual(ignored.map(() => ['none', undefined]))
    expect(ignored[0]?.lines).not.toContain('cookie')
    expect(ask('/cart', cookie).status).toBe('matched')
  })
})
