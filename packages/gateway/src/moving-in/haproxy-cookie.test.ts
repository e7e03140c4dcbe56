import { describe, expect, it } from 'vitest'
import { cookiePolicy } from './haproxy-cookie.ts'
import { readHaproxy } from './haproxy-reader.ts'
import { Report } from './report.ts'

/** The policy of a line, and what is lost and changed by it. */
function taken(line: string, ...others: readonly string[]) {
  const lines = readHaproxy(['backend b', line, ...others].join('\n'))[0]?.block ?? []
  const [statement] = lines
  if (statement === undefined) throw new Error('no line')
  const report = new Report()
  const policy = cookiePolicy(statement, lines, report)
  return { policy, findings: report.findings.map(({ kind, what }) => `${kind} ${what}`) }
}

describe('a cookie of HAProxy', () => {
  it.each([
    ['cookie S insert indirect', {}],
    ['cookie S insert', { strip: false }],
    ['cookie S insert indirect nocache httponly secure', { secure: true }],
    ['cookie S insert indirect maxidle 30m maxlife 8h', { maxIdle: '30m', maxLife: '8h' }],
    [
      'cookie S insert indirect domain .shop.test preserve postonly',
      {
        domain: 'shop.test',
        preserve: true,
        onlyMethods: ['POST'],
      },
    ],
    [
      'cookie S insert indirect attr SameSite=None attr Partitioned',
      {
        sameSite: 'none',
        partitioned: true,
        secure: true,
      },
    ],
  ])('%s has the options %j', (line, options) => {
    const cookie = { name: 'S', maxLife: '0s', accept: ['haproxy'], ...options }
    expect(taken(line)).toEqual({ policy: { cookie }, findings: [] })
  })

  it('is a prefix of the cookie of the application where it says so', () => {
    expect(taken('cookie JSESSIONID prefix').policy).toEqual({
      prefix: { cookie: 'JSESSIONID', accept: ['haproxy'] },
    })
  })

  it('needs the key of dynamic values', () => {
    const accept = [{ haproxy: { key: 'env:HAPROXY_COOKIE_KEY' } }]
    expect(taken('cookie S insert indirect dynamic').findings).toEqual(['changed cookie … dynamic'])
    expect(taken('cookie S insert indirect dynamic', 'dynamic-cookie-key hush')).toEqual({
      policy: { cookie: { name: 'S', maxLife: '0s', accept } },
      findings: [],
    })
  })

  it.each([
    ['cookie S rewrite', ['lost cookie … rewrite']],
    ['cookie a,b insert', ['lost cookie']],
    ['cookie S insert indirect maxlife 500d', ['lost cookie … maxlife']],
    ['cookie S insert indirect attr Priority=High', ['lost cookie … attr']],
    ['cookie S insert indirect hush', ['lost cookie … hush']],
  ])('%s loses something', (line, findings) => {
    expect(taken(line).findings).toEqual(findings)
  })
})
