import { describe, expect, it } from 'vitest'
import type { PoolFile } from '../config/pool-file.ts'
import { readNginx } from './nginx-reader.ts'
import { nginxSticky } from './nginx-sticky.ts'
import { Report } from './report.ts'

/** The policies of a `sticky`, and what is lost of it. @param maps the `map` blocks of the file */
function taken(sticky: string, maps = '') {
  const [statement] = readNginx(`sticky ${sticky};`)
  if (statement === undefined) throw new Error('no statement')
  const file: PoolFile = {}
  const report = new Report()
  nginxSticky(statement, file, readNginx(maps), report)
  return { affinity: file.affinity, lost: report.findings.map(({ what }) => what) }
}

describe('sticky cookie', () => {
  it.each([
    ['srv', {}],
    ['srv expires=1h', { maxIdle: '1h', persistent: true }],
    ['srv expires=max', { maxIdle: '400d', persistent: true }],
    ['srv domain=.shop.test path=/x httponly', { domain: 'shop.test', path: '/x' }],
    ['srv samesite=Strict secure', { sameSite: 'strict', secure: true }],
    ['srv samesite=none', { sameSite: 'none', secure: true }],
  ])('is, of %s, a cookie with %j', (words, options) => {
    const cookie = { name: 'srv', maxLife: '0s', accept: ['raw', 'nginx'], ...options }
    expect(taken(`cookie ${words}`)).toEqual({ affinity: [{ cookie }], lost: [] })
  })

  it.each([
    ['srv expires=500d', 'sticky cookie … expires'],
    ['srv path=x', 'sticky cookie … path'],
    ['srv domain=$host', 'sticky cookie … domain'],
    ['srv samesite=some', 'sticky cookie … samesite'],
    ['srv hush=1', 'sticky cookie … hush'],
    ['$name', 'sticky'],
  ])('reports what it loses of %s', (words, what) => {
    expect(taken(`cookie ${words}`).lost).toEqual([what])
  })
})

describe('sticky learn', () => {
  it.each([
    ['create=$upstream_cookie_sid lookup=$cookie_sid zone=a:1m', { cookie: 'sid', ttl: '10m' }],
    ['create=$upstream_http_x_id lookup=$http_x_id timeout=1h', { header: 'x-id', ttl: '1h' }],
    [
      'create=$upstream_cookie_sid lookup=$cookie_sid lookup=$arg_s',
      { cookie: 'sid', lookup: ['cookie:sid', 'query:s'], ttl: '10m' },
    ],
  ])('learns, with %s, by %j', (words, learn) => {
    expect(taken(`learn ${words}`)).toEqual({ affinity: [{ learn }], lost: [] })
  })

  it.each([
    ['create=$sent_http_x lookup=$cookie_sid', ['sticky learn create=']],
    ['create=$upstream_cookie_a create=$upstream_cookie_b', ['sticky learn create=']],
    ['create=$upstream_cookie_a lookup=$host sync', ['sticky learn … sync', 'sticky learn lookup=']],
  ])('reports what it loses of %s', (words, lost) => {
    expect(taken(`learn ${words}`).lost.toSorted()).toEqual(lost.toSorted())
  })
})

describe('sticky route', () => {
  const behindDot = 'map $cookie_jsessionid $route { ~.+\\\\.(?P<r>\\\\w+)$ $r; }'

  it.each([
    ['$arg_r $http_x_route', '', [{ route: { query: 'r' } }, { route: { header: 'x-route' } }]],
    ['$route', behindDot, [{ route: { cookie: 'jsessionid' } }]],
  ])('reads %s with the maps %j', (words, maps, affinity) => {
    expect(taken(`route ${words}`, maps)).toEqual({ affinity, lost: [] })
  })

  it.each([
    ['$route', ''],
    ['$route', 'map $uri $route { ~.+\\\\.(?P<r>\\\\w+)$ $r; }'],
    ['$route', 'map $cookie_sid $route { ~^(?P<r>\\\\w+) $r; }'],
    ['$route', 'map $cookie_sid $route { default $cookie_sid; }'],
    ['$route', 'map $cookie_sid $route { default ""; abc s1; }'],
  ])('reports %s with the maps %j, which cut no route off a cookie', (words, maps) => {
    expect(taken(`route ${words}`, maps)).toEqual({ affinity: undefined, lost: ['sticky route $route'] })
  })
})

it('reports another kind, and a second use of a cookie', () => {
  expect(taken('hash $x').lost).toEqual(['sticky'])
  const [statement] = readNginx('sticky cookie srv;')
  if (statement === undefined) throw new Error('no statement')
  const file: PoolFile = { affinity: [{ learn: { cookie: 'srv' } }] }
  const report = new Report()
  nginxSticky(statement, file, [], report)
  expect([file.affinity, report.isComplete]).toEqual([[{ learn: { cookie: 'srv' } }], false])
})
