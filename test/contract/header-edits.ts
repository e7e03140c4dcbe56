import { Agent } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { applicationThat, authenticate, type Edit, editing } from './editing.ts'
import type { Start } from './start.ts'

/** An application's edits of header fields: the backend sees those, and nothing else. */
export function headerEdits(start: Start): void {
  const { pair, arrived } = editing(start)

  describe('header fields that the application has edited', () => {
    test('are set and removed: a forged identity does not arrive [B2]', async () => {
      const lines = await arrived(authenticate, ['X-User-Id: 1-spoofed', 'X-GATEWAY-USER: mallory', 'X-A: 1'])
      expect(valuesOf(lines, 'x-user-id')).toEqual([])
      expect(valuesOf(lines, 'x-gateway-user')).toEqual(['alice'])
      expect(valuesOf(lines, 'x-a')).toEqual(['1'])
    })

    test('cannot be hidden by lines that a client repeats [B2]', async () => {
      const repeated = ['User-Agent: x', 'User-Agent: x', 'X-Gateway-User: mallory', 'x-gateway-user: alice']
      expect(valuesOf(await arrived(authenticate, repeated), 'x-gateway-user')).toEqual(['alice'])
    })

    test('leave all other lines as they are, byte for byte [B2]', async () => {
      const others = [
        'ACCEPT: a',
        'x-One: 1',
        'Accept: b',
        'X-ONE: 2, 3',
        'Cookie: a=1',
        'cookie: b=2',
        'X-E: \xe9',
      ]
      for (const edit of [authenticate, () => {}]) {
        const seen = (await arrived(edit, others)).map(([name, value]) => `${name}: ${value}`)
        expect(seen.filter(line => /^(?:accept|x-one|cookie|x-e):/i.test(line))).toEqual(others)
      }
    })

    test.each<[string, unknown, string[]]>([
      ['a text', 'b', ['b']],
      ['a number', 7, ['7']],
      ['several lines', ['b', 'c'], ['b', 'c']],
      ['no lines', [], []],
      ['undefined', undefined, []],
    ])('may be %s [B2]', async (_, value, expected) => {
      const lines = await arrived(
        ({ headers }) => Object.assign(headers, { 'x-a': value }),
        ['X-A: 1', 'X-A: 2'],
      )
      expect(valuesOf(lines, 'x-a')).toEqual(expected)
    })

    test('may be those of another object [B2]', async () => {
      const replace: Edit = request => {
        request.headers = { host: 'b.example', 'x-gateway-user': 'alice' }
      }
      const lines = await arrived(replace, ['X-User-Id: 1', 'X-A: 1'])
      expect(valuesOf(lines, 'host')).toEqual(['b.example'])
      expect(valuesOf(lines, 'x-gateway-user')).toEqual(['alice'])
      expect(valuesOf(lines, 'x-forwarded-host')).toEqual(['b.example'])
      expect(lines.filter(([name]) => /^x-(?:user-id|a)$/i.test(name))).toEqual([])
    })

    test('may be the cookies; ours is read in them and does not arrive [B2]', async () => {
      const backends = await startBackends('w1', 'w2')
      const [w1] = backends
      const edit: Edit = ({ headers }) => {
        headers.cookie = headers.cookie?.replace(/secret=\w+; /, '')
      }
      const gateway = await start(backends, { around: applicationThat(edit) })
      const browser = await gateway.browserOn(w1)
      for (let visit = 0; visit < 3; visit += 1)
        await gateway.ask({ headers: { Cookie: `a=1; secret=x; ${browser.cookieHeader}; b=2` } })
      expect(w1.last.lines.filter(([name]) => name.toLowerCase() === 'cookie')).toEqual([
        ['Cookie', 'a=1; b=2'],
      ])
      expect(backends[1].seen).toEqual([])
    })

    test('are what affinity and balancers read [B2]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const edit: Edit = ({ headers }) => {
        headers['x-tenant'] = 'blue'
      }
      const gateway = await start(backends, {
        around: applicationThat(edit),
        affinity: [],
        balance: { hash: 'header:x-tenant' },
      })
      const ids = new Set<string>()
      for (const tenant of ['red', 'green', 'black', 'white', 'pink', 'grey'])
        ids.add((await gateway.ask({ headers: { 'X-Tenant': tenant } })).echo.id)
      expect(ids.size).toBe(1)
    })

    test.each<[string, unknown]>([
      ['x-a', 'b\r\nX-Evil: 1'],
      ['x-a', 'b\n'],
      ['x-a', '\0'],
      ['x-a', '\u010aX-Evil: 1'],
      ['x-a', null],
      ['x-a', {}],
      ['x-a', [['b']]],
      ['x-a', Symbol('b')],
      ['x a', 'b'],
      ['x-a\r\nx-evil', 'b'],
      ['host', 'a/b'],
    ])('are an error of the application where they cannot be sent: %j [B2]', async (name, value) => {
      let isBad = true
      const { w1, gateway } = await pair(({ headers }) => isBad && Object.assign(headers, { [name]: value }))
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const answer = await gateway.ask({ agent, method: 'POST', body: 'hello' })
      expect([answer.status, w1.seen]).toEqual([500, []])
      expect(answer.text).not.toContain('Evil')
      isBad = false
      expect((await gateway.ask({ agent })).status).toBe(200)
    })
  })

  test('a repeated field of which the application reads the first line arrives once', async () => {
    const seen: unknown[] = []
    const lines = await arrived(
      ({ headers }) => void seen.push(headers.authorization),
      ['Authorization: Bearer alice', 'X-A: 1', 'authorization: Bearer root'],
    )
    expect([seen, valuesOf(lines, 'authorization')]).toEqual([['Bearer alice'], ['Bearer alice']])
  })
}
