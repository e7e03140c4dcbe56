import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { ask } from '../support/http-client.ts'

const TOKEN = 'a-token-of-the-tests-01'
const bearer = { Authorization: `Bearer ${TOKEN}` }

/** A file whose admin port has this token. */
function guarded(backends: Parameters<typeof fileOf>[0], token: string): object {
  return fileOf(backends, { admin: { listen: '127.0.0.1:0', token } })
}

/** A folder of the test, with a file of this content in it. */
function folderWith(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-admin-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, name), content)
  return folder
}

test('a flood of scrapes, with wrong tokens and without any, locks the right token out of nothing', async () => {
  const [w1] = await startBackends('w1')
  const gateway = await GatewayProcess.start(guarded([w1], TOKEN))
  const scrape = async (agent: Agent, headers: Record<string, string>): Promise<number> =>
    (await ask(gateway.adminPort, { path: '/metrics', agent, headers })).status
  const flooding = new AbortController()
  const seen = new Map<number, number>()
  async function flood(headers: Record<string, string>): Promise<void> {
    // A refused request ends its connection, as it does for any client.
    const agent = new Agent()
    while (!flooding.signal.aborted) {
      const status = await scrape(agent, headers)
      seen.set(status, (seen.get(status) ?? 0) + 1)
    }
  }
  const wrong = { Authorization: 'Bearer another-token-of-tests' }
  const floods = [wrong, wrong, {}, { Authorization: 'Basic !' }].map(flood)
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const statuses = new Set<number>()
  while ((seen.get(429) ?? 0) < 300) statuses.add(await scrape(agent, bearer))
  flooding.abort()
  await Promise.all(floods)
  expect([...statuses]).toEqual([200])
  expect(new Set(seen.keys())).toEqual(new Set([401, 429]))
  expect((await gateway.ask()).status).toBe(200)
})

test('a path with markup, a GET that names a change, and a page of another site change nothing', async () => {
  const [w1] = await startBackends('w1')
  const gateway = await GatewayProcess.start(guarded([w1], TOKEN))
  const before = (await gateway.admin('GET', '/pools/web/backends/w1', undefined, bearer)).body.toString()
  const state = (text: string): unknown => (JSON.parse(text) as { state: unknown }).state
  const markup = encodeURIComponent('<script>alert(1)</script>')
  for (const path of [
    `/pools/${markup}/backends/w1`,
    `/pools/web/backends/${markup}`,
    '/pools/none/backends/w1',
    '/pools/__proto__/backends/w1',
  ]) {
    const answer = await gateway.admin('PATCH', path, { state: 'maint' }, bearer)
    expect([path, answer.status]).toEqual([path, 404])
    expect(answer.body.toString()).not.toContain('<')
    expect(answer.header('content-type')).toBe('application/json')
  }
  for (const query of ['?state=maint', '?_method=PATCH&state=maint'])
    await gateway.admin('GET', `/pools/web/backends/w1${query}`, undefined, bearer)
  for (const foreign of [
    { Origin: 'http://evil.example' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ]) {
    const answer = await gateway.admin(
      'PATCH',
      '/pools/web/backends/w1',
      { state: 'maint' },
      { ...bearer, ...foreign },
    )
    expect(answer.status).toBe(403)
  }
  for (const deadline of ['365d', '-1s', 'soon', '<script>', 60_000, null]) {
    const change = { state: 'drain', deadline }
    const answer = await gateway.admin('PATCH', '/pools/web/backends/w1', change, bearer)
    expect([deadline, answer.status]).toEqual([deadline, 400])
  }
  const after = (await gateway.admin('GET', '/pools/web/backends/w1', undefined, bearer)).body.toString()
  expect([state(before), state(after)]).toEqual(['ready', 'ready'])
  const now = await gateway.admin(
    'PATCH',
    '/pools/web/backends/w1',
    { state: 'drain', deadline: '0s' },
    bearer,
  )
  expect(now.status).toBe(200)
  await gateway.logged('drained')
})

describe('the token of the admin port', () => {
  test.each([
    ['an empty file', 'file:', '', 'is empty'],
    ['a file with a line break', 'file:', '\r\n', 'is empty'],
    ['a file with blanks', 'file:', ' \n\t\n', 'is empty'],
    ['an empty variable', 'env:', '', 'the environment has no'],
    ['a variable of blanks', 'env:', ' \n', 'has only blanks in'],
    ['a short text', '', 'hunter2', 'has 7 characters; it takes at least 16'],
    ['a text with a blank', '', 'hunter2 hunter2 hunter3', 'has blanks'],
  ])('%s is refused at the start and by check', async (_what, kind, value, text) => {
    const folder = folderWith('token', value)
    const token = { 'file:': `file:${join(folder, 'token')}`, 'env:': 'env:LIMPET_TEST_TOKEN' }[kind] ?? value
    for (const args of [[], ['check']]) {
      const gateway = GatewayProcess.spawn(guarded([], token), args, { LIMPET_TEST_TOKEN: value })
      const { code, error } = await gateway.exited
      expect([code, error]).toEqual([1, expect.stringMatching(/^ {2}admin\.token /m)])
      expect(error).toContain(text)
      expect(error).not.toContain('hunter2')
    }
  })

  test('is asked of every request but for /healthz, whose Host is looked at as well [T-82, T-83]', async () => {
    const [w1] = await startBackends('w1')
    const gateway = await GatewayProcess.start(guarded([w1], TOKEN))
    const statusOf = async (headers: Record<string, string>, path = '/stats.json'): Promise<number> =>
      (await gateway.admin('GET', path, undefined, headers)).status
    expect(await statusOf({})).toBe(401)
    expect(await statusOf({ Authorization: '' })).toBe(401)
    expect(await statusOf({ Authorization: 'Bearer' })).toBe(401)
    expect(await statusOf(bearer)).toBe(200)
    expect(await statusOf({ ...bearer, Host: 'evil.example' })).toBe(421)
    expect(await statusOf({}, '/healthz')).toBe(200)
  })

  test('is served whatever was asked before without it, and wrong ones get 429 [T-84]', async () => {
    const [w1] = await startBackends('w1')
    const gateway = await GatewayProcess.start(guarded([w1], TOKEN))
    const statuses = async (times: number, headers: Record<string, string>): Promise<number[]> => {
      const answers = Array.from({ length: times }, async () =>
        gateway.admin('GET', '/stats.json', undefined, headers),
      )
      return (await Promise.all(answers)).map(({ status }) => status).toSorted((one, other) => one - other)
    }
    expect(new Set(await statuses(15, {}))).toEqual(new Set([401]))
    expect(await statuses(12, { Authorization: 'Bearer another-token-of-tests' })).toEqual([
      ...Array.from({ length: 10 }, () => 401),
      429,
      429,
    ])
    expect(await statuses(1, bearer)).toEqual([200])
  })
})

test('backends are added only where the file has some, or where it allows them', async () => {
  const [w1, w2] = await startBackends('w1', 'w2')
  const add = async (gateway: GatewayProcess, url: string): Promise<number> =>
    (await gateway.admin('POST', '/pools/web/backends', { ...w2.options, url })).status
  for (const workers of [1, 2]) {
    const gateway = await GatewayProcess.start(fileOf([w1], { workers }))
    for (const url of [
      'http://169.254.169.254',
      'http://[fe80::1]:80',
      'unix:/run/docker.sock',
      'http://10.0.0.1',
    ])
      expect(await add(gateway, url)).toBe(403)
    await gateway.logged('admin_denied', 4)
    expect(await add(gateway, String(w2.options.url))).toBe(201)
  }
  const admin = { listen: '127.0.0.1:0', allowBackends: ['unix:/run/limpet/', '10.0.0.0/8'] }
  const open = await GatewayProcess.start(fileOf([w1], { admin }))
  expect(await add(open, 'http://127.0.0.1:1')).toBe(403)
  expect(await add(open, 'unix:/run/limpet/w2.sock')).toBe(201)
})
