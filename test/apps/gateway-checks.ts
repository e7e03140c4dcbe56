import { expect, test } from 'vitest'
import { valuesOf } from '../support/header-lines.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'
import type { StartedProgram } from './started-program.ts'

/** A message to the WebSocket of an application at `/live`, and its reply. */
interface Live {
  readonly message: string
  readonly reply: string
}

/** Checks of every program, whatever its framework and its plugins. */
export function checkGateway(
  program: StartedProgram,
  live: Live = { message: 'hello', reply: 'live: hello' },
): void {
  const clients = upgradeClients()

  test('keeps each session on its backend', async () => {
    const first = program.browser()
    const second = program.browser()
    const ids = [await first.visit('/shop'), await second.visit('/shop')]
    expect(ids.toSorted()).toEqual(['w1', 'w2'])
    for (let times = 0; times < 3; times += 1) {
      expect(await first.visit('/shop')).toBe(ids[0])
      expect(await second.visit('/shop')).toBe(ids[1])
    }
  })

  test('forwards a body as the client sent it', async () => {
    const body = '{ "price": 2.50 }'
    const headers = { 'Content-Type': 'application/json' }
    const { status, echo } = await program.ask({ method: 'POST', path: '/shop', headers, body })
    expect([status, echo.method, echo.url, echo.bytes]).toEqual([200, 'POST', '/shop', body.length])
  })

  test('sends the backend the header fields that the application has edited', async () => {
    const { echo } = await program.ask({ path: '/shop', headers: { 'X-User-Id': '1-spoofed' } })
    const { lines } = program.backend(echo.id).last
    expect(valuesOf(lines, 'x-user-id')).toEqual([])
    expect(valuesOf(lines, 'x-gateway-user')).toEqual(['alice'])
  })

  test('tunnels a WebSocket to the backend of the session', async () => {
    const browser = program.browser()
    const id = await browser.visit('/shop')
    const before = program.backend(id).handshakes.length
    const { ask } = await clients.web(program.port, {
      path: '/shop/chat',
      headers: { Cookie: browser.cookieHeader },
    })
    expect((await ask('hello')).toString()).toBe('hello')
    expect(program.backend(id).handshakes.length).toBe(before + 1)
  })

  test('leaves the WebSocket of the application to the application', async () => {
    const { ask } = await clients.web(program.port, { path: '/live' })
    expect((await ask(live.message)).toString()).toBe(live.reply)
    expect(program.backends.flatMap(({ handshakes }) => handshakes.map(({ url }) => url))).not.toContain(
      '/live',
    )
  })
}
