import { describe, expect, test } from 'vitest'
import { startExampleShops } from '../support/example-shop.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { httpUrl, KillTestProcess, QUICK } from '../support/kill-test-process.ts'

/** `limpet kill-test` with real shops behind a real gateway, and real signals. */

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
