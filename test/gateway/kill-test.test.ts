import { describe, expect, test } from 'vitest'
import { httpUrl, KillTestProcess, QUICK } from '../support/kill-test-process.ts'
import { startMemberApp } from '../support/member-app.ts'

/** The scenarios of `limpet kill-test`, with a real application. */

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
