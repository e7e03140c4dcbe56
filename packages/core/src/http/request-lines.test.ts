import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Client } from './client.ts'
import { withoutCookie } from './cookie-header.ts'
import type { RequestHead } from '../head.ts'
import { isForwardingField } from './forwarded.ts'
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts'
import { type ForwardField, mayConcernAlso, requestLines, type RequestLinesOptions } from './request-lines.ts'
import { requestOfLines } from '../request.fixture.ts'

type Line = readonly [name: string, value: string]

const CLIENT: Client = { address: '192.0.2.1', isSecure: false, isProxied: false }

/** A policy's changes of fields, by their names. */
function forwarding(fields: Readonly<Record<string, ForwardField>>): RequestLinesOptions['forwarding'] {
  return { mayConcern: mayConcernAlso(Object.keys(fields)), byName: new Map(Object.entries(fields)) }
}

function pairs(lines: readonly string[]): Line[] {
  return lines.flatMap((name, index) => (index % 2 === 0 ? [[name, lines[index + 1] ?? ''] as const] : []))
}

/** The lines that a backend gets for these, without the fields about the client. */
function forwarded(
  lines: readonly Line[],
  facts?: Partial<RequestHead>,
  options: Partial<RequestLinesOptions> = {},
): Line[] {
  const head = requestOfLines(lines, facts)
  const all = requestLines(head, CLIENT, {
    forwarding: forwarding({ cookie: line => withoutCookie(line, 'SRV') }),
    host: undefined,
    fallbackHost: 'a.test:80',
    ...options,
  })
  const ours = all.findIndex((name, index) => index % 2 === 0 && name === 'X-Forwarded-For')
  expect(
    pairs(all.slice(ours))
      .map(([name]) => name.toLowerCase())
      .filter(name => isForwardingField(name)),
  ).toHaveLength(pairs(all.slice(ours)).length)
  return pairs(all.slice(0, ours))
}

const HOST: Line = ['Host', 'web.test']
const HTTP2: Line = [':method', 'GET']

describe('the lines that a backend gets', () => {
  it('are the client’s, in its order and spelling', () => {
    const lines: Line[] = [
      ['ACCEPT', '*/*'],
      HOST,
      ['x-a', '1'],
      ['X-A', '2'],
      ['Content-Length', '5'],
      ['Authorization', 'Basic x'],
      ['Cache-Control', 'no-cache'],
      ['X-Empty', ''],
      ['X-Latin', '\u00e4\u00ff'],
    ]
    expect(forwarded(lines)).toEqual(lines)
  })

  it.each([
    'Connection',
    'keep-alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'PROXY',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Expect',
    ':authority',
    ':path',
    'X-Forwarded-For',
    'x-forwarded-anything',
    'X-FORWARDED-PROTO',
    'X_Forwarded_For',
    'x-forwarded_host',
    'X-Real-IP',
    'x_real_ip',
    'Forwarded',
    ...[50, 51, 52, 53, 80].map(length => `X-Forwarded-${'x'.repeat(length)}`),
  ])('do not have %s [T-22] [T-34]', name => {
    expect(forwarded([HOST, [name, 'x'], ['X-A', '1']])).toEqual([HOST, ['X-A', '1']])
  })

  it('do not have fields that Connection names, in any position [T-34]', () => {
    const lines: Line[] = [
      ['X-Foo', '1'],
      HOST,
      ['Connection', 'close, x-foo, X-Long, proxy-x'],
      ['X-LONG', '2'],
    ]
    expect(forwarded([...lines, ['Proxy-X', '3'], ['X-Food', '4']])).toEqual([HOST, ['X-Food', '4']])
  })

  it.each<Line>([
    ['Cookie', 'a=1'],
    ['Host', 'web.test'],
    ['Content-Length', '5'],
    ['Authorization', 'Basic x'],
    ['Cache-Control', 'no-cache'],
  ])('have %s, though Connection names it [T-34]', (name, value) => {
    const others = name === 'Host' ? [] : [HOST]
    const lines = forwarded([...others, [name, value], ['Connection', `close, ${name}`]])
    expect(lines).toEqual([...others, [name, value]])
  })

  it('describe the client, though Connection names the fields [T-22] [T-34]', () => {
    const head = requestOfLines([
      HOST,
      ['Connection', 'X-Forwarded-For, X-Real-IP, Forwarded'],
      ['X-Forwarded-For', '1.1.1.1'],
    ])
    const all = requestLines(head, CLIENT, {
      forwarding: forwarding({}),
      host: undefined,
      fallbackHost: 'a.test',
    })
    expect(pairs(all)).toEqual([
      HOST,
      ['X-Forwarded-For', '192.0.2.1'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Forwarded-Host', 'web.test'],
      ['X-Forwarded-Port', '80'],
      ['X-Real-IP', '192.0.2.1'],
    ])
  })

  it.each<[string, Line[], Partial<RequestHead>, string | undefined, string]>([
    ['the client’s', [HOST], {}, undefined, 'web.test'],
    ['the backend’s, when that is wanted', [HOST], {}, 'a.test:80', 'a.test:80'],
    ['the backend’s, when there was none', [], { httpVersion: '1.0' }, undefined, 'a.test:80'],
    ['that of HTTP/2', [HTTP2, [':authority', 'h2.test']], { httpVersion: '2.0' }, undefined, 'h2.test'],
    [
      'the backend’s, for HTTP/2 too',
      [HTTP2, [':authority', 'h2.test']],
      { httpVersion: '2.0' },
      'a.test:80',
      'a.test:80',
    ],
  ])('have one Host: %s', (_, lines, facts, host, expected) => {
    expect(forwarded([...lines, ['X-A', '1']], facts, { host })).toEqual([
      ['Host', expected],
      ['X-A', '1'],
    ])
  })
})

describe('the Cookie lines that a backend gets', () => {
  it('stay apart, without ours; a line that held nothing else is gone [LB013] [LB017]', () => {
    const lines: Line[] = [
      ['Cookie', 'a=1'],
      ['cookie', 'SRV=s2'],
      ['COOKIE', 'b=2; SRV=s1;c=3'],
    ]
    expect(forwarded([HOST, ...lines])).toEqual([HOST, ['Cookie', 'a=1'], ['COOKIE', 'b=2;c=3']])
  })

  it('are one again where HTTP/2 had cut them up [LB002]', () => {
    const crumbs: Line[] = [
      ['cookie', 'c1=foo'],
      ['cookie', 'c2=bar'],
      ['x-a', '1'],
      ['cookie', 'SRV=s1'],
      ['cookie', 'c3=baz'],
    ]
    expect(forwarded([HTTP2, [':authority', 'web.test'], ...crumbs], { httpVersion: '2.0' })).toEqual([
      HOST,
      ['Cookie', 'c1=foo; c2=bar; c3=baz'],
      ['x-a', '1'],
    ])
  })

  it('are one of several fields where HTTP/2 left them apart [LB002]', () => {
    const headers = { ':method': 'GET', ':authority': 'web.test', cookie: ['c1=foo', 'SRV=s1', 'c2=bar'] }
    expect(forwarded([HTTP2], { httpVersion: '2.0', headers })).toEqual([HOST, ['Cookie', 'c1=foo; c2=bar']])
  })

  it('are none where HTTP/2 had only ours', () => {
    expect(
      forwarded(
        [
          [':authority', 'web.test'],
          ['cookie', 'SRV=s1'],
        ],
        { httpVersion: '2.0' },
      ),
    ).toEqual([HOST])
  })
})

describe('the quick look at a name', () => {
  it('lets nothing pass that a slow one would not, whatever the lines', () => {
    const others =
      'expect forwarded x-real-ip x_real_ip x-forwarded-for x-forwarded- :path cookie host'.split(' ')
    const known = fc.constantFrom(...HOP_BY_HOP, ...others)
    const spelt = fc
      .tuple(known, fc.constantFrom('', 's', '-x'), fc.boolean())
      .map(([name, tail, isUpper]) => (isUpper ? name.toUpperCase() : name) + tail)
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,70}$/, { size: 'max' })
    const line = fc.tuple(fc.oneof(spelt, token), fc.constantFrom('x', 'a=1'))
    const connection = fc.array(fc.oneof(spelt, token), { maxLength: 3 }).map(list => list.join(', '))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), connection, (some, nominates) => {
        const lines = some.filter(([name]) => !['host', 'connection'].includes(name.toLowerCase()))
        const nominated = nominatedFields(nominates)
        const expected = lines.filter(([name]) => {
          const lower = name.toLowerCase()
          const isEnded =
            HOP_BY_HOP.has(lower) || lower === 'expect' || lower.startsWith(':') || isForwardingField(lower)
          return !isEnded && !nominated.has(lower)
        })
        expect(forwarded([HOST, ...lines, ['Connection', nominates]])).toEqual([HOST, ...expected])
      }),
      { numRuns: 1000 },
    )
  })
})

describe('fields that a policy changes', () => {
  const options = {
    forwarding: forwarding({
      'x-pin': value => (value === 'gone' ? '' : value.toUpperCase()),
      accept: value => `${value}, */*`,
    }),
  }

  it('arrive as it says, each line by itself, in their places', () => {
    const lines: Line[] = [HOST, ['X-Pin', 'a'], ['X-Other', 'b'], ['x-PIN', 'c'], ['Accept', 'text/html']]
    expect(forwarded(lines, {}, options)).toEqual([
      HOST,
      ['X-Pin', 'A'],
      ['X-Other', 'b'],
      ['x-PIN', 'C'],
      ['Accept', 'text/html, */*'],
    ])
  })

  it('are left out where it returns nothing', () => {
    expect(forwarded([HOST, ['X-Pin', 'gone'], ['X-Pin', 'kept']], {}, options)).toEqual([
      HOST,
      ['X-Pin', 'KEPT'],
    ])
  })

  it('do not come back because the client nominates them', () => {
    const lines: Line[] = [HOST, ['X-Pin', 'a'], ['Connection', 'X-Pin']]
    expect(forwarded(lines, {}, options)).toEqual([HOST])
  })

  it('keep an empty value that no policy has made', () => {
    expect(forwarded([HOST, ['X-Forward', ''], ['X-Empty', '']], {}, options)).toEqual([
      HOST,
      ['X-Forward', ''],
      ['X-Empty', ''],
    ])
  })
})
