import type { BackendView } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { joinedValue } from '../support/header-lines.ts'
import { closeBeforeHead, echoWith, inTurn, rawAnswer, resetBeforeHead } from '../support/scripts.ts'
import type { RunningGateway, Start } from './start.ts'

const DEATHS = [
  ['resets the connection', resetBeforeHead],
  ['closes the connection', closeBeforeHead],
  ['dies in the middle of its head', rawAnswer('HTTP/1.1 200 OK\r\nContent-Le')],
] as const

/** Requests for a backend that does not respond: where they are retried, and when they may not be. */
export function redispatch(start: Start): void {
  describe('redispatch', () => {
    test.each([
      ['GET', undefined],
      ['HEAD', undefined],
      ['POST', 'a body'],
      ['PATCH', 'a body'],
      ['POST', undefined],
      ['DELETE', undefined],
    ])(
      '%s moves from a backend that refuses, and the session with it [LB060, LB164, D-14]',
      async (method, body) => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2])
        const browser = await gateway.browserOn(w1)
        await w1.refuse()
        const moved = await browser.ask({ method, ...(body !== undefined && { body }) })
        expect(moved.status).toBe(200)
        expect(w2.last).toMatchObject({ method, bytes: body?.length ?? 0 })
        expect(moved.cookies('SERVERID')).toHaveLength(1)
        await expectSettledOn(browser, 'w2')
        expect(gateway.view(w1).failures).toBe(1)
      },
    )

    test('a balancer that throws when another backend is needed costs that request alone', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      let picks = 0
      const balance = {
        name: 'broken',
        pick: (
          candidates: readonly BackendView[],
          _request: unknown,
          accepts: (view: BackendView) => boolean = () => true,
        ) => {
          picks += 1
          if (picks === 2) throw new Error('the balancer is broken')
          return candidates.find(accepts)
        },
      }
      const gateway = await start([w1, w2], { balance, affinity: [] })
      await w1.refuse()
      expect((await gateway.ask()).status).toBe(500)
      expect((await gateway.ask()).status).toBe(200)
    })

    test.each(DEATHS)('a GET moves from a backend that %s before an answer [T-50]', async (_how, death) => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      w1.script = death
      const moved = await browser.ask()
      expect(moved.echo.id).toBe('w2')
      expect(moved.cookies('SERVERID')).toHaveLength(1)
      await expectSettledOn(browser, 'w2')
      expect(gateway.view(w1).failures).toBe(1)
    })

    test.each(DEATHS)(
      'what may have had its effect is not done again: POST to a backend that %s [LB076, T-50]',
      async (_how, death) => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2])
        const browser = await gateway.browserOn(w1)
        w1.script = death
        for (const asked of [
          { method: 'POST' },
          { method: 'POST', body: 'x' },
          { method: 'PUT', body: 'x' },
        ]) {
          const [before, elsewhere] = [w1.seen.length, w2.seen.length]
          const answer = await browser.ask(asked)
          expect(answer.status).toBe(502)
          expect(answer.cookies()).toEqual([])
          expect([w1.seen.length, w2.seen.length]).toEqual([before + 1, elsewhere])
        }
      },
    )

    test('a session does not move with onUnavailable reject [LB061, LB200]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { onUnavailable: 'reject' })
      const browser = await gateway.browserOn(w1)
      await w1.refuse()
      const refused = await browser.ask()
      expect(refused.status).toBe(502)
      expect(refused.cookies()).toEqual([])
      await w1.listen()
      await expectSettledOn(browser, 'w1')
    })

    test('the sessions of a dead backend are spread over the others [T-53]', async () => {
      const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
      const gateway = await start([w1, w2, w3])
      const browsers = await Promise.all(Array.from({ length: 12 }, () => gateway.browserOn(w1)))
      await w1.refuse()
      const ids = await Promise.all(browsers.map(browser => browser.visit()))
      expect(ids.filter(id => id === 'w2')).toHaveLength(6)
      expect(ids.filter(id => id === 'w3')).toHaveLength(6)
    })

    test('the next backend gets what is meant for it, and what the first one would have got', async () => {
      const [w1, w2] = [await startBackend('w1', resetBeforeHead), await startBackend('w2')]
      const gateway = await start([w1, w2], { host: 'backend' })
      await gateway.ask({ path: '/a?b=c', headers: { 'X-App': 'yes', Host: 'shop.example' } })
      expect(w2.last.url).toBe('/a?b=c')
      expect(joinedValue(w2.last.lines, 'x-app')).toBe('yes')
      expect(joinedValue(w2.last.lines, 'host')).toBe(`127.0.0.1:${w2.port}`)
      expect(joinedValue(w2.last.lines, 'x-forwarded-for')).toBe('127.0.0.1')
      expect(joinedValue(w2.last.lines, 'x-forwarded-host')).toBe('shop.example')
    })

    test('a backend that recovers is used again', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      w1.script = inTurn(resetBeforeHead, echoWith(200))
      const gateway = await start([w1, w2])
      expect((await gateway.ask()).echo.id).toBe('w2')
      const ids = new Set([(await gateway.ask()).echo.id, (await gateway.ask()).echo.id])
      expect(ids).toEqual(new Set(['w1', 'w2']))
    })
  })
}

async function expectSettledOn(browser: { ask: RunningGateway['ask'] }, id: string): Promise<void> {
  const answer = await browser.ask()
  expect(answer.echo.id).toBe(id)
  expect(answer.cookies()).toEqual([])
}
