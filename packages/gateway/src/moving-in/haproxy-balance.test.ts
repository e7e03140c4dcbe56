import { expect, it } from 'vitest'
import type { PoolFile } from '../config/pool-file.ts'
import { haproxyBalance } from './haproxy-balance.ts'
import { readHaproxy } from './haproxy-reader.ts'
import { Report } from './report.ts'

function taken(...lines: readonly string[]) {
  const file: PoolFile = {}
  const report = new Report()
  haproxyBalance(readHaproxy(['backend b', ...lines].join('\n'))[0]?.block ?? [], file, report)
  return { balance: file.balance, findings: report.findings.map(({ kind, what }) => `${kind} ${what}`) }
}

it.each([
  ['balance roundrobin', 'round-robin', []],
  ['balance static-rr', 'round-robin', []],
  ['balance leastconn', 'least-requests', []],
  ['balance first', 'first', []],
  ['balance random', 'random-two', []],
  ['balance random(1)', 'random', []],
  ['balance source', { hash: 'ip', ipv6Prefix: 128 }, ['changed balance']],
  ['balance uri depth 3', { hash: 'path' }, ['changed balance']],
  ['balance url_param sid', { hash: 'query:sid' }, ['changed balance']],
  ['balance hdr(X-Id)', { hash: 'header:X-Id' }, ['changed balance']],
  ['balance hash req.cook(sid)', { hash: 'cookie:sid' }, ['changed balance']],
  ['balance hash rand', undefined, ['lost balance']],
  ['balance rdp-cookie', undefined, ['lost balance rdp-cookie']],
])('takes %s', (line, balance, findings) => {
  expect(taken(line)).toEqual({ balance, findings })
})

it('bounds the load of a hash alone, from 105 %', () => {
  expect(taken('hash-balance-factor 150', 'balance source').balance).toEqual({
    hash: 'ip',
    ipv6Prefix: 128,
    boundedLoad: 1.5,
  })
  expect(taken('balance source', 'hash-balance-factor 104').findings).toContain('lost hash-balance-factor')
  expect(taken('balance leastconn', 'hash-balance-factor 150').balance).toBe('least-requests')
  expect(taken('balance source', 'hash-balance-factor 0').balance).not.toHaveProperty('boundedLoad')
})

it('tells that each hash is consistent, unless it was', () => {
  expect(taken('hash-type map-based').findings).toEqual(['changed hash-type'])
  expect(taken('hash-type consistent djb2').findings).toEqual([])
})
