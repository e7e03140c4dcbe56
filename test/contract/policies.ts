import type { AffinityPolicy, PolicyContext } from '@limpet/core'
import { signedBackends } from '@limpet/core/signing'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import type { BackendResponse } from '../support/http-client.ts'
import { echoWith } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** Sessions that are recognised by something else than a cookie of ours. */
export function policies(start: Start): void {
  describe("a mark in the application's cookie", () => {
    const options = { affinity: [{ prefix: { cookie: 'SID' } }] }

    test('keeps the session, and neither side sees what the other has [LB041, LB044]', async () => {
      const backends = await Promise.all(
        ['w1', 'w2', 'w3'].map(async id =>
          startBackend(id, echoWith(200, { 'Set-Cookie': [`SID="${id}~x"`, 'o=1'] })),
        ),
      )
      const gateway = await start(backends, options)
      const browser = gateway.browser()
      const first = await browser.ask()
      expect(first.cookies()).toEqual([expect.stringMatching(/^SID=[\w.+/-]{60}~"w\d~x"$/), 'o=1'])
      for (const backend of backends) backend.script = echoWith(200)
      for (let visit = 0; visit < 6; visit += 1) {
        const next = await browser.ask({ method: visit % 2 === 0 ? 'GET' : 'POST' })
        expect(next.echo.id).toBe(first.echo.id)
        expect(cookieSeenBy(backends, first)).toBe(`SID="${first.echo.id}~x"; o=1`)
        expect(next.cookies()).toEqual([])
      }
    })

    test('moves with the session, when the application renews its cookie', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], options)
      for (const backend of [w1, w2]) backend.script = echoWith(200, { 'Set-Cookie': `SID=${backend.id}` })
      const browser = await gateway.browserOn(w1)
      await w1.refuse()
      const moved = await browser.ask()
      expect(moved.echo.id).toBe('w2')
      expect(joinedValue(w2.last.lines, 'cookie')).toBe('SID=w1')
      await browser.ask()
      expect(joinedValue(w2.last.lines, 'cookie')).toBe('SID=w2')
    })

    test('cannot be forged: a value without a mark is forwarded as it is [LB046, LB048]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const gateway = await start(backends, options)
      const cookie = 'a=b;SID=w1~w2~c;  SID="w1~x"; SID=~'
      const answers = [1, 2, 3].map(async () => gateway.ask({ headers: { Cookie: cookie } }))
      expect(new Set((await Promise.all(answers)).map(({ echo }) => echo.id)).size).toBe(3)
      expect(backends.map(({ last }) => joinedValue(last.lines, 'cookie'))).toEqual([cookie, cookie, cookie])
    })
  })

  describe('a signed header of a policy of the application', () => {
    function pinned(context: PolicyContext): AffinityPolicy {
      const names = signedBackends(context, 'pin/v1')
      return {
        read({ headers }) {
          const pin = headers['x-pin']
          return typeof pin === 'string' ? names.read(pin) : { kind: 'none' }
        },
        write({ backend }, fields) {
          fields['x-pin'] = names.write(backend.id)
        },
        forwardHeaders: { 'x-pin': () => '' },
      }
    }

    test('keeps the session, is set once, and does not reach the backend', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const gateway = await start(backends, { affinity: [pinned] })
      const first = await gateway.ask()
      const pin = first.header('x-pin') ?? ''
      expect(pin).not.toBe('')
      for (let visit = 0; visit < 4; visit += 1) {
        const next = await gateway.ask({ headers: { 'X-Pin': pin, 'X-Other': 'kept' } })
        expect([next.echo.id, next.header('x-pin')]).toEqual([first.echo.id, undefined])
        const [lines = []] = backends.filter(({ id }) => id === first.echo.id).map(({ last }) => last.lines)
        expect([valuesOf(lines, 'x-pin'), valuesOf(lines, 'x-other')]).toEqual([[], ['kept']])
      }
    })

    test('that is forged is replaced, and does not reach the backend either', async () => {
      const [w1] = await startBackends('w1')
      const gateway = await start([w1], { affinity: [pinned] })
      const answer = await gateway.ask({ headers: { 'x-PIN': 'w1' } })
      expect(answer.header('x-pin')).toMatch(/^[\w-]{16}\.[\w+/]{43}$/)
      expect(valuesOf(w1.last.lines, 'x-pin')).toEqual([])
    })
  })

  describe('a session id that the application gives out', () => {
    test('is learned from its answers, and found wherever requests carry it [LB096]', async () => {
      const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
      const gateway = await start([w1, w2, w3], {
        affinity: [{ learn: { cookie: 'SID', lookup: ['cookie', 'query:sid', 'header:X-Session'] } }],
      })
      w1.script = echoWith(200, { 'Set-Cookie': 'SID=of-w1; Path=/; HttpOnly' })
      const first = await gateway.browserOn(w1)
      w1.script = echoWith(200)
      for (let visit = 0; visit < 4; visit += 1) {
        expect((await first.ask({ method: visit % 2 === 0 ? 'GET' : 'POST' })).echo.id).toBe('w1')
        expect((await gateway.ask({ path: '/?sid=of-w1' })).echo.id).toBe('w1')
        expect((await gateway.ask({ headers: { 'X-Session': 'of-w1' } })).echo.id).toBe('w1')
      }
      // The cookie is the application's: it comes through, both ways.
      expect(first.cookies.size).toBe(1)
      expect(joinedValue(w1.seen.at(-3)?.lines ?? [], 'cookie')).toBe('SID=of-w1')
      const strangers = [1, 2, 3].map(async () => gateway.ask({ headers: { Cookie: 'SID=made-up' } }))
      expect(new Set((await Promise.all(strangers)).map(({ echo }) => echo.id)).size).toBe(3)
    })

    test('moves with the backend that answers, and stays there [LB099]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { affinity: [{ learn: { header: 'Mcp-Session-Id' } }] })
      for (const backend of [w1, w2]) backend.script = echoWith(200, { 'Mcp-Session-Id': 'the-session' })
      const first = await gateway.ask()
      for (const backend of [w1, w2]) backend.script = echoWith(200)
      const [home, other] = first.echo.id === 'w1' ? [w1, w2] : [w2, w1]
      const asked = { method: 'POST', headers: { 'Mcp-Session-Id': 'the-session' } }
      expect((await gateway.ask(asked)).echo.id).toBe(home.id)
      await home.refuse()
      expect((await gateway.ask(asked)).echo.id).toBe(other.id)
      await home.listen()
      expect((await gateway.ask(asked)).echo.id).toBe(other.id)
    })
  })

  describe('a request that names its backend', () => {
    test.each([
      ['in a header', { header: 'X-Backend' }, { headers: { 'X-Backend': 'w2' } }],
      ['in its query', { query: 'backend' }, { path: '/?a=1&backend=w2' }],
      ['in a cookie', { cookie: 'JSESSIONID' }, { headers: { Cookie: 'JSESSIONID=1A~2.w2' } }],
    ])('%s comes there [LB107]', async (_where, route, asked) => {
      const gateway = await start(await startBackends('w1', 'w2', 'w3'), { affinity: [{ route }] })
      for (let visit = 0; visit < 4; visit += 1) {
        expect((await gateway.ask(asked)).echo.id).toBe('w2')
      }
    })

    test('goes on elsewhere when that backend has gone', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { affinity: [{ route: { header: 'X-Backend' } }] })
      await w2.refuse()
      expect((await gateway.ask({ headers: { 'X-Backend': 'w2' } })).echo.id).toBe('w1')
    })
  })

  describe('several policies', () => {
    test('decide in their order, and a redispatch goes to the backend that the next one names', async () => {
      const backends = await startBackends('w1', 'w2', 'w3', 'w4')
      const gateway = await start(backends, { affinity: [{ route: { query: 'backend' } }, { cookie: {} }] })
      const browser = await gateway.browserOn({ id: 'w3' })
      expect((await browser.ask({ path: '/?backend=w2' })).echo.id).toBe('w2')
      const other = await gateway.browserOn({ id: 'w4' })
      await backends[1].refuse()
      expect((await other.ask({ path: '/?backend=w2' })).echo.id).toBe('w4')
    })
  })

  describe('ignored requests', () => {
    test('is placed without a look at the cookie, and told nothing', async () => {
      const gateway = await start(await startBackends('w1', 'w2'), { ignore: [{ path: '/assets/' }] })
      const browser = await gateway.browserOn({ id: 'w1' })
      const ids: string[] = []
      for (let visit = 0; visit < 4; visit += 1) {
        const answer = await browser.ask({ path: '/assets/a.css' })
        expect(answer.cookies()).toEqual([])
        ids.push(answer.echo.id)
      }
      expect(ids.toSorted()).toEqual(['w1', 'w1', 'w2', 'w2'])
      expect(await browser.visit()).toBe('w1')
    })
  })
}

function cookieSeenBy(backends: readonly Backend[], { echo }: BackendResponse): string | undefined {
  const backend = backends.find(({ id }) => id === echo.id)
  return backend === undefined ? undefined : joinedValue(backend.last.lines, 'cookie')
}
