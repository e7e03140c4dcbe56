import { expect, it } from 'vitest'
import type { PoolFile } from '../config/pool-file.ts'
import { hashKey, nginxBalance } from './nginx-balance.ts'
import { readNginx } from './nginx-reader.ts'
import { Report } from './report.ts'

it.each([
  ['least_conn', 'least-requests', [], true],
  ['least_time header', 'least-requests', ['changed least_time'], true],
  ['random', 'random', [], true],
  ['random two least_conn', 'random-two', [], true],
  ['ip_hash', { hash: 'ip', ipv4Prefix: 24, ipv6Prefix: 128 }, ['changed ip_hash'], true],
  ['hash $remote_addr consistent', { hash: 'ip', ipv6Prefix: 128 }, ['changed hash'], true],
  ['hash $request_uri', { hash: 'path' }, ['changed hash', 'changed hash'], true],
  ['hash ${uri}', { hash: 'path' }, ['changed hash'], true],
  ['hash $uri$is_args', undefined, ['lost hash'], true],
  ['unknown', undefined, [], false],
])('takes %s', (line, balance, findings, isTaken) => {
  const [statement] = readNginx(`${line};`)
  if (statement === undefined) throw new Error('no statement')
  const file: PoolFile = {}
  const report = new Report()
  nginxBalance(statement, file, report)
  expect([file.balance, report.findings.map(({ kind, what }) => `${kind} ${what}`)]).toEqual([
    balance,
    findings,
  ])
  expect(report.isTaken(statement)).toBe(isTaken)
})

it.each([
  ['$binary_remote_addr', 'ip'],
  ['${remote_addr}', 'ip'],
  ['$uri', 'path'],
  ['$http_x_user_id', 'header:x-user-id'],
  ['$arg_u', 'query:u'],
  ['${cookie_sid}', 'cookie:sid'],
  ['$cookie_sid$uri', undefined],
  ['$host', undefined],
  ['text', undefined],
])('the variable %s is the key %s', (text, key) => {
  expect(hashKey(text)).toBe(key)
})
