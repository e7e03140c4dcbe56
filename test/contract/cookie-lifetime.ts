import type { CookiePolicyOptions } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import type { Browser } from '../support/browser.ts'
import { type RunningGateway, SECRET, type Start } from './start.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** How long a cookie is good for, and when it is given anew. */
export function cookieLifetime(start: Start): void {
  let nowMs = 0

  /** A gateway whose clock is `nowMs`, and a session of w1 that began now. */
  async function session(
    cookie: CookiePolicyOptions,
  ): Promise<{ gateway: RunningGateway; browser: Browser }> {
    nowMs = Date.UTC(2026, 0, 1)
    const backends = await startBackends('w1', 'w2', 'w3')
    const gateway = await start(backends, { now: () => nowMs, affinity: [{ cookie }] })
    return { gateway, browser: await gateway.browserOn({ id: 'w1' }) }
  }

  /** The backend that each of three visits with this cookie came to, and whether each of them was given a new cookie. */
  async function placed(
    gateway: RunningGateway,
    cookie: string,
  ): Promise<{ ids: Set<string>; renewed: Set<boolean> }> {
    const ids = new Set<string>()
    const renewed = new Set<boolean>()
    for (let visit = 0; visit < 3; visit += 1) {
      const answer = await gateway.ask({ headers: { Cookie: cookie } })
      ids.add(answer.echo.id)
      renewed.add(answer.cookies('SERVERID').length === 1)
    }
    return { ids, renewed }
  }
  const ANEW = { ids: new Set(['w1', 'w2', 'w3']), renewed: new Set([true]) }
  const KEPT = { ids: new Set(['w1']), renewed: new Set([false]) }
  const RENEWED = { ids: new Set(['w1']), renewed: new Set([true]) }

  describe('the life of a cookie', () => {
    test('it is given anew when a part of its idle time has gone, not with every answer [LB063, LB100, LB204]', async () => {
      const { gateway, browser } = await session({ maxIdle: '30m', maxLife: '8h' })
      nowMs += 2 * MINUTE
      expect(await placed(gateway, browser.cookieHeader)).toEqual(KEPT)
      nowMs += 8 * MINUTE
      expect(await placed(gateway, browser.cookieHeader)).toEqual(RENEWED)
    })

    test('it is good for as long as it is used [LB063, LB100]', async () => {
      const { browser } = await session({ maxIdle: '30m' })
      for (let visit = 0; visit < 10; visit += 1) {
        nowMs += 25 * MINUTE
        expect(await browser.visit()).toBe('w1')
      }
    })

    test('it is nothing after its idle time [LB065, LB101, LB115, T-03]', async () => {
      const { gateway, browser } = await session({ maxIdle: '30m', maxLife: '8h' })
      nowMs += 40 * MINUTE
      expect(await placed(gateway, browser.cookieHeader)).toEqual(ANEW)
    })

    test('it is nothing after its life, however much it was used [LB066, T-03]', async () => {
      const { gateway, browser } = await session({ maxIdle: '30m', maxLife: '8h' })
      for (let visit = 0; visit < 19; visit += 1) {
        nowMs += 25 * MINUTE
        expect(await browser.visit()).toBe('w1')
      }
      nowMs += 25 * MINUTE
      expect(await placed(gateway, browser.cookieHeader)).toEqual(ANEW)
    })

    test('it lives for a day when nothing is said [T-03]', async () => {
      const { gateway, browser } = await session({})
      nowMs += 23 * HOUR
      expect(await placed(gateway, browser.cookieHeader)).toEqual(KEPT)
      nowMs += HOUR
      expect(await placed(gateway, browser.cookieHeader)).toEqual(ANEW)
    })

    test('one from the future is nothing, but clocks may differ a little [LB068]', async () => {
      const { gateway, browser } = await session({ maxIdle: '30m' })
      nowMs -= 20_000
      expect((await placed(gateway, browser.cookieHeader)).ids).toEqual(new Set(['w1']))
      nowMs -= 25 * HOUR
      expect(await placed(gateway, browser.cookieHeader)).toEqual(ANEW)
    })

    test('its dates cannot be cut off or written anew [LB069]', async () => {
      const { gateway, browser } = await session({ maxIdle: '30m', maxLife: '8h' })
      const [version, token, issued, seen, ...signature] = (browser.cookies.get('SERVERID') ?? '').split('.')
      const later = (Number.parseInt(seen ?? '', 36) + 60).toString(36)
      for (const parts of [
        [version, token],
        [version, token, issued],
        [version, token, later, later],
      ]) {
        expect(await placed(gateway, `SERVERID=${[...parts, ...signature].join('.')}`)).toEqual(ANEW)
      }
    })

    test('one of another format is honoured and given anew [LB070]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const dated = await start(backends, { affinity: [{ cookie: { maxIdle: '30m' } }] })
      const undated = await start(backends, { affinity: [{ cookie: { maxLife: 0 } }] })
      const [fromDated, fromUndated] = [
        await dated.browserOn({ id: 'w1' }),
        await undated.browserOn({ id: 'w1' }),
      ]
      expect(await placed(undated, fromDated.cookieHeader)).toEqual(RENEWED)
      expect(await placed(dated, fromUndated.cookieHeader)).toEqual(RENEWED)
    })

    test('one of an older secret is honoured and given anew, until that secret is gone [T-05]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const [older, newer] = [SECRET, `newer-${SECRET}`]
      const before = await start(backends, { secrets: [older] })
      const during = await start(backends, { secrets: [newer, older] })
      const after = await start(backends, { secrets: [newer] })
      const { cookieHeader } = await before.browserOn({ id: 'w1' })
      expect(await placed(during, cookieHeader)).toEqual(RENEWED)
      expect(await placed(after, cookieHeader)).toEqual(ANEW)
      const browser = during.browser()
      browser.cookies.set('SERVERID', cookieHeader.replace('SERVERID=', ''))
      expect(await browser.visit()).toBe('w1')
      expect(await placed(after, browser.cookieHeader)).toEqual(KEPT)
    })

    test('one of another load balancer is taken once where that is allowed [LB069, LB137]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const gateway = await start(backends, { affinity: [{ cookie: { accept: ['haproxy'] } }] })
      expect(await placed(gateway, 'SERVERID=w1|aQzqI|aQzqI')).toEqual(RENEWED)
      expect(await placed(gateway, 'SERVERID=w1')).toEqual(RENEWED)
      expect(await placed(gateway, 'SERVERID=w9')).toEqual(ANEW)
      expect(await placed(await start(backends), 'SERVERID=w1')).toEqual(ANEW)
    })
  })
}
