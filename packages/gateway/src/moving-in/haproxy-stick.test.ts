import { describe, expect, it } from 'vitest'
import type { PoolFile } from '../config/pool-file.ts'
import { readHaproxy } from './haproxy-reader.ts'
import { stickPolicy } from './haproxy-stick.ts'
import { Report } from './report.ts'

function taken(...lines: readonly string[]) {
  const file: PoolFile = {}
  const report = new Report()
  const policy = stickPolicy(readHaproxy(['backend b', ...lines].join('\n'))[0]?.block ?? [], file, report)
  return {
    policy,
    balance: file.balance,
    findings: report.findings.map(({ kind, what }) => `${kind} ${what}`),
  }
}

describe('a table that learns from responses', () => {
  it.each([
    [['stick store-response res.cook(sid)', 'stick match req.cook(sid)'], { cookie: 'sid' }],
    [['stick store-response res.hdr(X-Id)', 'stick on hdr(X-Id)'], { header: 'X-Id' }],
    [
      [
        'stick-table type string len 32 size 1m expire 30m',
        'stick store-response res.cook(sid)',
        'stick match urlp(s)',
      ],
      { cookie: 'sid', lookup: ['query:s'], ttl: '30m', maxEntries: 1_048_576 },
    ],
  ])('of %j is %j', (lines, learn) => {
    expect(taken(...lines)).toEqual({ policy: { learn }, balance: undefined, findings: [] })
  })

  it.each([
    [['stick store-response res.payload(0,4)'], ['lost stick store-response']],
    [['stick store-response res.cook(a)', 'stick store-response res.cook(b)'], ['lost stick store-response']],
    [['stick store-response res.cook(a)', 'stick match src'], ['lost stick match']],
    [
      ['stick-table type ip size 1k peers p', 'stick store-response res.cook(a)'],
      ['lost stick-table … peers'],
    ],
  ])('of %j loses something', (lines, findings) => {
    expect(taken(...lines).findings).toEqual(findings)
  })
})

describe('a table that learns from requests', () => {
  it('is a hash of the same key', () => {
    expect(taken('stick-table type ip size 1m', 'stick on src')).toEqual({
      policy: undefined,
      balance: { hash: 'ip', ipv6Prefix: 128 },
      findings: ['changed stick'],
    })
    expect(taken('stick match req.cook(sid)', 'stick store-request req.cook(sid)').balance).toEqual({
      hash: 'cookie:sid',
    })
  })

  it('of another key is lost', () => {
    expect(taken('stick on src table other')).toMatchObject({
      balance: undefined,
      findings: ['lost stick on'],
    })
  })
})
