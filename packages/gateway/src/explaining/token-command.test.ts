import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createAffinity, requestHead } from '@limpet/core'
import { debugTokens } from '@limpet/core/adapter'
import { runToken } from './token-command.ts'

const SECRET = 'a-secret-of-the-tests-0123456789abcdef'
const POOL = { backends: [{ id: 'w1', url: 'http://127.0.0.1:1' }], affinity: [{ cookie: {} }] }

function fileWith(content: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-token-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'limpet.yaml')
  writeFileSync(file, JSON.stringify({ listen: '127.0.0.1:0', ...content }))
  return file
}

function run(...args: readonly string[]): { code: number; out: string; error: string } {
  let out = ''
  let error = ''
  const code = runToken(args, { out: text => void (out += text), error: text => void (error += text) })
  return { code, out, error }
}

it('prints a token of the pool, signed with the secrets of the file', () => {
  const file = fileWith({ secrets: [SECRET], pools: { web: POOL } })
  const { code, out, error } = run('debug', file)
  expect([code, error]).toEqual([0, ''])
  expect(debugTokens('web', [Buffer.from(SECRET)]).accepts(out.trim())).toBe(true)
  expect(debugTokens('api', [Buffer.from(SECRET)]).accepts(out.trim())).toBe(false)
})

it('prints a pin that names a backend of the pool', () => {
  const file = fileWith({ secrets: [SECRET], pools: { web: POOL } })
  const { code, out } = run('pin', '--backend', 'web/w1', file)
  expect(code).toBe(0)
  const affinity = createAffinity({ ...POOL, name: 'web', secrets: [SECRET] })
  affinity.pool.setState('w1', 'maint')
  const headers = { host: 'a', 'limpet-pin': out.trim() }
  const rawHeaders = Object.entries(headers).flat()
  const request = requestHead({
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    headers,
    rawHeaders,
    socket: {},
  })
  expect(affinity.explain(request)).toMatchObject({ backend: 'w1', by: 'pin' })
})

it('takes the pool by its name where there are several', () => {
  const file = fileWith({
    secrets: [SECRET],
    routes: [
      { path: '/api/', pool: 'api' },
      { path: '/', pool: 'web' },
    ],
    pools: { web: POOL, api: { ...POOL, affinity: [] } },
  })
  expect(run('debug', file).error).toMatch(/has several pools; --pool names one of web, api/)
  expect(run('debug', '--pool', 'no', file).error).toMatch(/there is no pool no in .*; there are web, api/)
  const { out } = run('debug', '--pool', 'api', '--ttl', '1s', file)
  expect(debugTokens('api', [Buffer.from(SECRET)]).accepts(out.trim())).toBe(true)
})

it.each<[readonly string[], object, RegExp]>([
  [[], {}, /it takes debug or pin, and a file/],
  [['pin'], {}, /--backend takes a backend as POOL\/BACKEND/],
  [['pin', '--backend', 'web/w9'], {}, /pool web has no backend w9; it has w1/],
  [['pin', '--backend', 'api/w1'], {}, /there is no pool api/],
  [['pin', '--pool', 'web'], {}, /--pool is a flag of limpet token debug/],
  [['debug', '--backend', 'web/w1'], {}, /--backend is a flag of limpet token pin/],
  [['debug', '--ttl', '2d'], {}, /--ttl .*a duration/],
  [['debug', '--ttl', '0s'], {}, /--ttl .*a duration from 1s to 1d/],
  [['debug'], { secrets: undefined }, /has no secrets, so each start of the gateway has another/],
  [['debug'], { pools: { web: { backends: 1 } } }, /the file has a problem\n {2}pools\.web\.backends/],
])('refuses %j of a file with %j', (args, content, problem) => {
  const file = fileWith({ secrets: [SECRET], pools: { web: POOL }, ...content })
  const { code, out, error } = run(...args, ...(args.length === 0 ? [] : [file]))
  expect([code, out]).toEqual([1, ''])
  expect(error).toMatch(problem)
  expect(error).not.toContain(SECRET)
})
