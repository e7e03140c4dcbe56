import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Affinity, createAffinity } from '../../affinity.ts'
import { type NodeRequest, requestHead } from '../../head.ts'
import { OptionError } from '../../options/option.ts'
import type { RoutePolicyOptions } from './route-policy.ts'

function affinityOf(route: RoutePolicyOptions): Affinity {
  return createAffinity({
    backends: ['a', 'b', 'c'].map(id => ({ id, url: `http://${id}.test:80` })),
    affinity: [{ route }],
  })
}

function ask(affinity: Affinity, headers: Record<string, string>, url = '/'): [string, string] {
  const message: NodeRequest = {
    method: 'GET',
    url,
    httpVersion: '1.1',
    headers: { host: 'shop.test', ...headers },
    rawHeaders: Object.entries({ host: 'shop.test', ...headers }).flat(),
    socket: {},
  }
  const lease = affinity.select(requestHead(message))
  if (lease instanceof Promise) throw new TypeError('nothing here waits')
  lease.release()
  return [lease.backend.id, lease.status]
}

describe('the route policy', () => {
  it.each<[RoutePolicyOptions, Record<string, string>, string]>([
    [{ header: 'X-Backend' }, { 'x-backend': 'b' }, '/'],
    [{ query: 'backend' }, {}, '/?backend=b'],
    [{ cookie: 'JSESSIONID' }, { cookie: 'JSESSIONID=abc.b' }, '/'],
    [{ cookie: 'JSESSIONID' }, { cookie: 'JSESSIONID=a.c.b' }, '/'],
    [{ 'path-parameter': 'jsessionid' }, {}, '/cart;jsessionid=abc.b?x'],
    [{ cookie: 'JSESSIONID' }, { cookie: 'JSESSIONID=abc.gone; JSESSIONID=abc.b' }, '/'],
  ])('%j goes where the request says [LB107]', (route, headers, url) => {
    const affinity = affinityOf(route)
    expect([1, 2, 3].map(() => ask(affinity, headers, url))).toEqual([1, 2, 3].map(() => ['b', 'matched']))
  })

  it.each<[RoutePolicyOptions, Record<string, string>, string]>([
    [{ header: 'X-Backend' }, {}, 'none'],
    [{ header: 'X-Backend' }, { 'x-backend': '' }, 'none'],
    [{ header: 'X-Backend' }, { 'x-backend': 'B' }, 'unknown'],
    [{ header: 'X-Backend' }, { 'x-backend': '__proto__' }, 'unknown'],
    [{ header: '__proto__' }, {}, 'none'],
    [{ cookie: 'JSESSIONID' }, { cookie: 'JSESSIONID=b' }, 'none'],
    [{ cookie: 'JSESSIONID' }, { cookie: 'JSESSIONID=abc.' }, 'unknown'],
  ])('%j with %j is balanced [LB107]', (route, headers, status) => {
    const affinity = affinityOf(route)
    const placed = [1, 2, 3].map(() => ask(affinity, headers))
    expect(new Set(placed.map(([id]) => id)).size).toBe(3)
    expect(placed[0]?.[1]).toBe(status)
  })

  it('takes an alias for its backend', () => {
    const affinity = createAffinity({
      backends: [
        { id: 'a', url: 'http://a.test:80', aliases: ['route.1'] },
        { id: 'b', url: 'http://b.test:80', aliases: ['route.2', 'two'] },
      ],
      affinity: [{ route: { query: 'r' } }],
    })
    expect(['route.1', 'route.2', 'two', 'b'].map(word => ask(affinity, {}, `/?r=${word}`)[0])).toEqual([
      'a',
      'b',
      'b',
      'b',
    ])
    expect(ask(affinity, {}, '/?r=three')[1]).toBe('unknown')
  })

  it('takes any value for a claim, never for an error', () => {
    const affinity = affinityOf({ cookie: 'JSESSIONID' })
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), value => {
        expect(['a', 'b', 'c']).toContain(ask(affinity, { cookie: `JSESSIONID=${value}` })[0])
      }),
    )
  })

  it.each([
    {},
    { header: 'a', query: 'b' },
    { header: '' },
    { header: 'a b' },
    { cookie: 1 },
    { path: 'x' },
    'header',
  ])('refuses %j', route => {
    expect(() => affinityOf(route as RoutePolicyOptions)).toThrow(OptionError)
  })
})
