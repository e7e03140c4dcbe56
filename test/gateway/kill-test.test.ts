import { describe, expect, test } from 'vitest'
import { startExampleShops } from '../support/example-shop.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { httpUrl, KillTestProcess, QUICK } from '../support/kill-test-process.ts'
import { startMemberApp } from '../support/member-app.ts'

/** `limpet kill-test`, with real shops, real gateways and real signals. */
const CART = {
  backend: { json: 'backend' },
  repeat: [
    { post: '/cart/items', json: { name: '{{unique}}' }, expect: { status: 201 }, writes: '{{unique}}' },
    { get: '/cart', expect: { status: 200 }, reads: { json: 'items' } },
  ],
}

describe('against limpet', () => {
  test('kill -9 loses the state of the users of that backend, and of no other', async () => {
    const shops = await startExampleShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const backends = { shop2: { kill: `kill -9 ${shops[1]?.pid}` } }
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(gateway), '--max-lost', '0'], {
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
    const shops = await startExampleShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const drain = `${process.execPath} -e 'fetch("http://127.0.0.1:${gateway.adminPort}/pools/web/backends/" + process.env.LIMPET_BACKEND, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ state: process.env.LIMPET_ACTION }) }).then(r => process.exit(r.ok ? 0 : 1))'`
    const budget = ['--max-lost', '0', '--max-errors', '0', '--max-recovery', '0s', '--max-logged-out', '0']
    const files = ['--backends', 'shop1', '--drain', drain, '--url', httpUrl(gateway), ...budget]
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
    const shops = await startExampleShops('shared')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const backends = { shop1: { kill: `kill -9 ${shops[0]?.pid}` } }
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(gateway), '--max-lost', '0'], {
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
    const shops = await startExampleShops('shop')
    const gateway = await GatewayProcess.start(fileOf(shops))
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(gateway), '--cart'])
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
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(app), '--max-logged-out', '0'], scenario)
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
    const run = new KillTestProcess([...QUICK, '--url', httpUrl(app)], scenario)
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
  const run = new KillTestProcess([...QUICK, '--url', httpUrl(app), '--ask', 'drain'], scenario)
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
  const run = new KillTestProcess([...load, '--url', httpUrl(app), '--kill', 'true'], scenario)
  const { code, error } = await run.ended()
  expect(error).not.toContain('Warning')
  expect(run.report.phases[0]?.['steps']).toBeGreaterThan(20)
  expect(code).toBe(0)
})
