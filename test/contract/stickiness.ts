import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { hang } from '../support/scripts.ts'
import type { RunningGateway, Start } from './start.ts'

/** Every request of a session comes to the same backend. */
export function stickiness(start: Start): void {
  describe('stickiness', () => {
    test('a session stays where it began, and is told once [LB007, LB153, LB196, LB198, LB209]', async () => {
      const gateway = await start(await startBackends('w1', 'w2', 'w3'))
      const browser = gateway.browser()
      const first = await browser.ask()
      expect(first.cookies('SERVERID')).toHaveLength(1)
      for (let visit = 0; visit < 50; visit += 1) {
        const next = await browser.ask({ method: ['GET', 'POST', 'PUT', 'DELETE'][visit % 4] ?? 'GET' })
        expect(next.echo.id).toBe(first.echo.id)
        expect(next.cookies()).toEqual([])
      }
    })

    test.each(['round-robin', 'least-requests', 'random-two'] as const)(
      'the cookie is stronger than the balancer: %s [LB077]',
      async balance => {
        const gateway = await start(await startBackends('w1', 'w2', 'w3'), { balance })
        const browsers = await Promise.all(['w1', 'w2', 'w3', 'w1'].map(id => gateway.browserOn({ id })))
        for (let visit = 0; visit < 5; visit += 1) {
          const ids = await Promise.all(browsers.map(browser => browser.visit()))
          expect(ids).toEqual(['w1', 'w2', 'w3', 'w1'])
        }
      },
    )

    test('new sessions are shared out by weight, whatever the old ones do [LB091, LB148]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3', 'w4')
      const gateway = await start(backends)
      for (const [index, { id }] of backends.entries()) gateway.pool.setWeight(id, index + 1)
      const old = await gateway.browserOn({ id: 'w1' })
      await Promise.all(Array.from({ length: 100 }, () => old.visit()))
      const ids = await newSessions(gateway, 100)
      expect(['w1', 'w2', 'w3', 'w4'].map(id => ids.filter(other => other === id).length)).toEqual([
        10, 20, 30, 40,
      ])
    })

    test('the busy backend is avoided with least-requests, by new sessions alone', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { balance: 'least-requests' })
      const browser = await gateway.browserOn(w1)
      w1.script = hang
      const leaving = new AbortController()
      const waiting = browser.ask({ signal: leaving.signal }).catch(() => 'left')
      await w1.arrival(w1.seen.length + 1)
      expect(await newSessions(gateway, 6)).toEqual(Array.from({ length: 6 }, () => 'w2'))
      leaving.abort()
      expect(await waiting).toBe('left')
    })

    test('a session of an unhealthy backend moves, once, and does not go back [LB058, LB154, LB206]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      gateway.pool.setHealthy('w1', false)
      const moved = await browser.ask()
      expect(moved.echo.id).toBe('w2')
      expect(moved.cookies('SERVERID')).toHaveLength(1)
      gateway.pool.setHealthy('w1', true)
      const stayed = await browser.ask()
      expect(stayed.echo.id).toBe('w2')
      expect(stayed.cookies()).toEqual([])
    })

    test('a session is kept through an outage rather than moved, with onUnavailable reject [LB061, LB184, LB200]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { onUnavailable: 'reject' })
      const browser = await gateway.browserOn(w1)
      gateway.pool.setHealthy('w1', false)
      const refused = await browser.ask()
      expect(refused.status).toBe(503)
      expect(refused.cookies()).toEqual([])
      gateway.pool.setHealthy('w1', true)
      expect(await browser.visit()).toBe('w1')
    })

    test('a session of a backend that was taken out is placed anew [LB139, LB177]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      gateway.pool.remove('w1')
      const moved = await browser.ask()
      expect(moved.echo.id).toBe('w2')
      expect(moved.cookies('SERVERID')).toHaveLength(1)
    })

    test('a session follows the name of its backend, not its address or its place [LB004]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      gateway.pool.replace([
        { ...w1.options, id: 'w2' },
        { ...w2.options, id: 'w1' },
      ])
      const next = await browser.ask()
      expect(next.echo.id, 'the server that is called w1 now').toBe('w2')
      expect(next.cookies()).toEqual([])
    })

    test('nothing is read or written without a policy', async () => {
      const gateway = await start(await startBackends('w1', 'w2'), { affinity: [] })
      const browser = gateway.browser()
      const visits = [await browser.visit(), await browser.visit(), await browser.visit()]
      expect(visits).toEqual(['w1', 'w2', 'w1'])
      expect(browser.cookies.size).toBe(0)
    })
  })
}

/** The backends that clients without a cookie came to. */
async function newSessions(gateway: RunningGateway, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  for (let session = 0; session < count; session += 1) ids.push(await gateway.browser().visit())
  return ids
}
