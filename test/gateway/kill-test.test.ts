import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ExampleShop, startExampleShop } from '../support/example-shop.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { KillTestProcess } from '../support/kill-test-process.ts'
import { freePort } from '../support/free-port.ts'
import { startMemberApp } from '../support/member-app.ts'

/** `limpet kill-test`, with real shops, real gateways and real signals. */
const QUICK = ['--sessions', '9', '--rate', '150', '--settle', '300ms', '--give-up', '20s']
const CART = {
  backend: { json: 'backend' },
  repeat: [
    { post: '/cart/items', json: { name: '{{unique}}' }, expect: { status: 201 }, writes: '{{unique}}' },
    { get: '/cart', expect: { status: 200 }, reads: { json: 'items' } },
  ],
}

async function startShops(kind: 'shop' | 'shared'): Promise<readonly ExampleShop[]> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-carts-'))
  const shops = await Promise.all(
    ['shop1', 'shop2', 'shop3'].map(async id => startExampleShop(kind, id, [folder])),
  )
  onTestFinished(async () => {
    await Promise.all(shops.map(async shop => shop.kill()))
    rmSync(folder, { recursive: true, force: true })
  })
  return shops
}

function urlOf({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`
}

describe('against limpet', () => {
  test('kill -9 loses the state of the users of that backend, and of no other', async () => {
    const shops = await startShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const backends = { shop2: { kill: `kill -9 ${shops[1]?.pid}` } }
    const run = new KillTestProcess([...QUICK, '--url', urlOf(gateway), '--max-lost', '0'], {
      ...CART,
      backends,
    })
    const { code, out } = await run.ended()
    expect(run.report.phases.map(({ name }) => name)).toEqual(['before', 'kill shop2'])
    const [, kill] = run.report.phases
    expect(kill).toMatchObject({
      usersOnBackend: 3,
      usersWithLoss: 3,
      usersMoved: 3,
      usersWithLossElsewhere: 0,
    })
    expect(kill?.['lostWrites']).toBeGreaterThanOrEqual(3)
    expect(kill?.['recoveryMs']).toBeGreaterThan(0)
    expect(out).toContain('EXCEEDED')
    expect(code).toBe(1)
  })

  test('a drain loses nothing and moves no user', async () => {
    const shops = await startShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const drain = `${process.execPath} -e 'fetch("http://127.0.0.1:${gateway.adminPort}/pools/web/backends/" + process.env.LIMPET_BACKEND, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ state: process.env.LIMPET_ACTION }) }).then(r => process.exit(r.ok ? 0 : 1))'`
    const budget = ['--max-lost', '0', '--max-errors', '0', '--max-recovery', '0s', '--max-logged-out', '0']
    const files = ['--backends', 'shop1', '--drain', drain, '--url', urlOf(gateway), ...budget]
    const run = new KillTestProcess([...QUICK, ...files, '--cart'])
    const { code } = await run.ended()
    expect(run.report.phases[1]).toMatchObject({
      usersOnBackend: 3,
      usersAffected: 0,
      usersMoved: 0,
      lostWrites: 0,
    })
    expect(run.report.unreadWrites).toBe(0)
    expect(code).toBe(0)
  })

  test('shops without state of their own lose nothing when one is killed', async () => {
    const shops = await startShops('shared')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const backends = { shop1: { kill: `kill -9 ${shops[0]?.pid}` } }
    const run = new KillTestProcess([...QUICK, '--url', urlOf(gateway), '--max-lost', '0'], {
      ...CART,
      backends,
    })
    const { code } = await run.ended()
    expect(run.report.phases[1]).toMatchObject({
      usersOnBackend: 3,
      usersMoved: 3,
      lostWrites: 0,
      usersLoggedOut: 0,
    })
    expect(code).toBe(0)
  })

  test('an operator kills and restarts what the command asks for, and leaves out the rest', async () => {
    const shops = await startShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const run = new KillTestProcess([...QUICK, '--url', urlOf(gateway), '--cart'])
    await run.said('Kill shop1 now')
    await shops[0]?.kill()
    run.type('')
    await run.said('Start shop1 again now')
    run.type('s')
    await run.said('Kill shop2 now')
    run.type('q')
    const { code } = await run.ended()
    expect(run.report.phases.map(({ name }) => name)).toEqual(['before', 'kill shop1'])
    expect(run.report.phases[1]).toMatchObject({ usersWithLoss: 3, usersWithLossElsewhere: 0 })
    expect(code).toBe(0)
  })
})

describe('a scenario', () => {
  test('logs users in, and tells which are logged out', async () => {
    const app = await startMemberApp()
    const scenario = {
      open: [
        { get: '/login', capture: { csrf: { body: 'name="csrf" value="([^"]*)"' } } },
        { post: '/login', form: { user: '{{session}}', csrf: '{{csrf}}' }, expect: { body: 'Hello' } },
      ],
      repeat: [{ get: '/account', expect: { status: 200, body: 'Hello u[0-9a-f]+-' } }],
    }
    const run = new KillTestProcess([...QUICK, '--url', urlOf(app), '--max-logged-out', '0'], scenario)
    await run.said('Kill one backend now')
    expect(app.logins).toBe(9)
    app.forget()
    run.type('')
    await run.said('Start one backend again now')
    run.type('q')
    const { code, out } = await run.ended()
    expect(run.report.phases[1]).toMatchObject({
      usersLoggedOut: 9,
      usersMoved: null,
      usersOnBackend: null,
      errors: 0,
    })
    expect(app.logins).toBe(18)
    expect(out).toContain('It is not known which backend answers')
    expect(code).toBe(1)
  })

  test('uploads, and keeps a WebSocket whose end is an error', async () => {
    const app = await startMemberApp()
    const scenario = {
      repeat: [
        { put: '/file', upload: { size: '64KiB', over: '20ms' }, expect: { json: { sha256: '{{sha256}}' } } },
        { post: '/form', upload: { size: '1KiB', field: 'photo', name: 'me.jpg', type: 'image/jpeg' } },
        { websocket: '/chat', send: '{{unique}}', keep: true, expect: { body: 'echo' } },
      ],
    }
    const run = new KillTestProcess([...QUICK, '--url', urlOf(app)], scenario)
    await run.said('Kill one backend now')
    app.cut()
    run.type('')
    await run.said('Start one backend again now')
    run.type('q')
    const { code, out } = await run.ended()
    expect(run.report.phases[1]?.['errors']).toBe(9)
    expect(out).toContain('WEBSOCKET /chat: WebSocket closed with 1006')
    expect(code).toBe(0)
  })
})

test('users connect from the addresses of the scenario, in turns', async () => {
  const app = await startMemberApp()
  const localAddresses = ['127.0.1.1', '127.0.2.1']
  const scenario = {
    localAddresses,
    backend: { json: 'address' },
    repeat: [{ get: '/address' }, { websocket: '/', send: 'hello' }],
  }
  const run = new KillTestProcess([...QUICK, '--url', urlOf(app), '--ask', 'drain'], scenario)
  // The backends are those that have answered, and none of the users has changed to another address.
  for (const address of localAddresses) {
    await run.said(`Drain ${address}`)
    run.type('')
  }
  expect((await run.ended()).code).toBe(0)
  const users = run.report.phases.slice(1).map(phase => [phase['usersOnBackend'], phase['usersMoved']])
  expect(users).toEqual([
    [5, 0],
    [4, 0],
  ])
})

test('a WebSocket that is kept for many steps gathers no listeners', async () => {
  const app = await startMemberApp()
  const scenario = { repeat: [{ websocket: '/', send: '{{round}}', keep: true, expect: { body: '.' } }] }
  const load = ['--sessions', '1', '--rate', '500', '--settle', '500ms']
  const run = new KillTestProcess([...load, '--url', urlOf(app), '--kill', 'true'], scenario)
  const { code, error } = await run.ended()
  expect(error).not.toContain('Warning')
  expect(run.report.phases[0]?.['steps']).toBeGreaterThan(20)
  expect(code).toBe(0)
})

test('what the target says reaches neither the terminal nor a hook as it is', async () => {
  const app = await startMemberApp()
  const evil = { backend: { body: '.*' }, repeat: [{ get: '/evil', expect: { status: 200 } }] }
  // A name of the target would be in the hook's environment.
  const hook = '! env | grep -q "LIMPET_BACK"'
  const run = new KillTestProcess([...QUICK, '--url', urlOf(app), '--kill', hook], evil)
  const { code, out, error } = await run.ended()
  expect(error).toContain('no response names a backend: hooks run once, without LIMPET_BACKEND\n')
  expect(run.report.phases[1]?.name).toBe('kill one backend')
  expect(out).toContain('It is not known which backend answers')
  expect(code).toBe(0)
  const moved = new KillTestProcess([...QUICK, '--url', urlOf(app)], { repeat: [{ get: '/evil-redirect' }] })
  const ended = await moved.ended()
  expect(ended.out).toContain('redirect to evil:')
  expect(`${out}${error}${ended.out}${ended.error}`.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
})

test('a capture that finds ever new backends ends it with 2', async () => {
  const app = await startMemberApp()
  const scenario = { backend: { header: 'X-Request' }, repeat: [{ get: '/request' }] }
  const load = ['--sessions', '150', '--rate', '1000', '--settle', '100ms']
  const run = new KillTestProcess([...load, '--url', urlOf(app), '--kill', 'true'], scenario)
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
    const run = new KillTestProcess([...QUICK, '--url', urlOf(app)], scenario)
    const { code, out } = await run.ended()
    expect(out).toContain('the target has set no cookie')
    expect(code).toBe(2)
  })

  test('for a hook that fails, with the report so far', async () => {
    const shops = await startShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const kill = 'echo no such container >&2; exit 3'
    const run = new KillTestProcess([...QUICK, '--url', urlOf(gateway), '--cart', '--kill', kill])
    const { code, out } = await run.ended()
    expect(run.report.problem).toBe('the hook of kill shop1 ended with 3: no such container')
    expect(out).toContain('kill shop1')
    expect(code).toBe(2)
  })

  test('for a hook that names a backend when no response does, before the hook', async () => {
    const app = await startMemberApp()
    const hooks = { kill: 'true', restart: 'start.sh "${LIMPET_BACKEND}"' }
    const run = new KillTestProcess([...QUICK, '--url', urlOf(app)], { hooks, repeat: [{ get: '/login' }] })
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
    const run = new KillTestProcess([...QUICK, '--url', urlOf(app)], { repeat: [{ get: '/login' }] })
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
    const args = [...QUICK, '--url', urlOf(app), '--kill', 'true']
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
  const shops = await startShops('shop')
  const gateway = await GatewayProcess.start(fileOf(shops))
  const run = new KillTestProcess([...QUICK, '--url', urlOf(gateway), '--cart', '--kill', 'sleep 100'])
  await run.said('kill shop1')
  run.signal('SIGINT')
  const { code, out } = await run.ended()
  expect(out).toMatch(/^kill shop1 .*$/m)
  expect(run.report).toMatchObject({ ending: 'SIGINT', exitCode: 130 })
  expect(code).toBe(130)
})
