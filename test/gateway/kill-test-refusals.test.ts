import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startExampleShops } from '../support/example-shop.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { httpUrl, KillTestProcess, QUICK } from '../support/kill-test-process.ts'
import { freePort } from '../support/free-port.ts'
import { startMemberApp } from '../support/member-app.ts'

/** Where `limpet kill-test` ends without a result, with real shops, gateways and signals. */

test('what the target says reaches neither the terminal nor a hook as it is', async () => {
  const app = await startMemberApp()
  const evil = { backend: { body: '.*' }, repeat: [{ get: '/evil', expect: { status: 200 } }] }
  // A name of the target would be in the hook's environment.
  const hook = '! env | grep -q "LIMPET_BACK"'
  const run = new KillTestProcess([...QUICK, '--url', httpUrl(app), '--kill', hook], evil)
  const { code, out, error } = await run.ended()
  expect(error).toContain('no response names a backend: hooks run once, without LIMPET_BACKEND\n')
  expect(run.report.phases[1]?.name).toBe('kill one backend')
  expect(out).toContain('It is not known which backend answers')
  expect(code).toBe(0)
  const moved = new KillTestProcess([...QUICK, '--url', httpUrl(app)], {
    repeat: [{ get: '/evil-redirect' }],
  })
  const ended = await moved.ended()
  expect(ended.out).toContain('redirect to evil:')
  expect(`${out}${error}${ended.out}${ended.error}`.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
})

test('a capture that finds ever new backends ends it with 2', async () => {
  const app = await startMemberApp()
  const scenario = { backend: { header: 'X-Request' }, repeat: [{ get: '/request' }] }
  const load = ['--sessions', '150', '--rate', '1000', '--settle', '100ms']
  const run = new KillTestProcess([...load, '--url', httpUrl(app), '--kill', 'true'], scenario)
  const { code, out } = await run.ended()
  expect(out).toContain('150 different backends')
  expect(code).toBe(2)
})

describe('ends with 2 and says why', () => {
  test.each([
    ['a target that is down', 'ECONNREFUSED', undefined],
    ['a target that redirects for ever', 'more than 5 redirects, the last one to /loop', '/loop'],
    ['a redirect to another host', '192.0.2.7 is not this machine', '/away'],
    ['a target without its pages', 'status 404 instead of 2xx', '/none'],
  ])('for %s', async (_what, problem, path) => {
    const port = path === undefined ? await freePort() : (await startMemberApp()).port
    const scenario = { repeat: [{ get: path ?? '/' }] }
    const run = new KillTestProcess([...QUICK, '--url', `http://127.0.0.1:${port}`], scenario)
    const { code } = await run.ended()
    expect(run.report).toMatchObject({ ending: 'scenario', problem: expect.stringContaining(problem) })
    expect(code).toBe(2)
  })

  test('for a target that sets no cookie, and so knows no user again', async () => {
    const app = await startMemberApp()
    const scenario = { repeat: [{ get: '/login', writes: '{{unique}}', reads: { body: '"(u[^"]*)"' } }] }
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(app)], scenario)
    const { code, out } = await run.ended()
    expect(out).toContain('the target has set no cookie')
    expect(code).toBe(2)
  })

  test('for a hook that fails, with the report so far', async () => {
    const shops = await startExampleShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const kill = 'echo no such container >&2; exit 3'
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(gateway), '--cart', '--kill', kill])
    const { code, out } = await run.ended()
    expect(run.report.problem).toBe('the hook of kill shop1 ended with 3: no such container')
    expect(out).toContain('kill shop1')
    expect(code).toBe(2)
  })

  test('for a hook that names a backend when no response does, before the hook', async () => {
    const app = await startMemberApp()
    const hooks = { kill: 'true', restart: 'start.sh "${LIMPET_BACKEND}"' }
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(app)], { hooks, repeat: [{ get: '/login' }] })
    const { code, error } = await run.ended()
    expect(run.report).toMatchObject({
      ending: 'idle',
      problem: expect.stringMatching(/^no response names a backend, and the hook of restart .*--backends/),
    })
    expect(run.report.phases.map(({ name }) => name)).toEqual(['before'])
    expect(error).not.toContain('kill')
    expect(code).toBe(2)
  })

  test('when nothing was done to any backend', async () => {
    const app = await startMemberApp()
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(app)], { repeat: [{ get: '/login' }] })
    await run.said('Kill one backend now')
    run.type('q')
    expect((await run.ended()).code).toBe(2)
    expect(run.report).toMatchObject({ ending: 'idle', problem: 'no action was done' })
  })

  test('for a host that is not this machine, without a request', async () => {
    const run = new KillTestProcess(['--cart', '--url', 'http://192.0.2.7/'])
    const { code, error } = await run.ended()
    expect(error).toContain('--i-may-test 192.0.2.7')
    expect(code).toBe(2)
  })

  test('for a report over a file that is there, without --force, and leaves no empty file', async () => {
    const app = await startMemberApp()
    const scenario = { repeat: [{ get: '/login' }] }
    const args = [...QUICK, '--url', httpUrl(app), '--kill', 'true']
    const own = new KillTestProcess(args, scenario)
    const file = join(own.folder, 'scenario.yaml')
    expect((await own.ended()).code).toBe(0)
    const over = new KillTestProcess([...args, '--html', file, '--junit', own.path('xml')], scenario)
    const { code, error } = await over.ended()
    expect(error).toContain(`--html ${file} exists; --force overwrites it`)
    expect(code).toBe(2)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(scenario)
    expect([over.path('json'), own.path('xml')].filter(path => existsSync(path))).toEqual([])

    const twice = new KillTestProcess(
      [...args, '--html', own.path('xml'), '--junit', own.path('xml')],
      scenario,
    )
    expect((await twice.ended()).error).toContain(`${own.path('xml')} is the file of two reports`)
    const forced = new KillTestProcess([...args, '--junit', own.path('json'), '--force'], scenario)
    expect((await forced.ended()).code).toBe(0)
    expect(readFileSync(own.path('json'), 'utf8')).toContain('<testsuite')
  })

  test('for a scenario with mistakes, all of them', async () => {
    const run = new KillTestProcess([], { repeat: [{ get: 'cart' }], colour: 1, sessions: -1 })
    const { code, error } = await run.ended()
    for (const path of ['repeat[0].get', 'colour', 'sessions']) expect(error).toContain(path)
    expect(code).toBe(2)
  })
})

test('Ctrl-C ends it with 130, and with all reports of what was seen so far', async () => {
  const shops = await startExampleShops('shop')
  const gateway = await GatewayProcess.start(fileOf(shops))
  const run = new KillTestProcess([...QUICK, '--url', httpUrl(gateway), '--cart', '--kill', 'sleep 100'])
  await run.said('kill shop1')
  run.signal('SIGINT')
  const { code, out } = await run.ended()
  expect(out).toMatch(/^kill shop1 .*$/m)
  expect(run.report).toMatchObject({ ending: 'SIGINT', exitCode: 130 })
  expect(code).toBe(130)
})
