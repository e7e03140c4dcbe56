import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import type { RunningGateway, Start } from './start.ts'

/** Taking a backend out without losing a session. */
export function drain(start: Start): void {
  describe('drain', () => {
    test('a draining backend keeps its sessions and gets no new one [LB053, LB093, LB135, LB144, LB202]', async () => {
      const gateway = await start(await startBackends('w1', 'w2', 'w3'))
      const browser = await gateway.browserOn({ id: 'w1' })
      gateway.pool.setState('w1', 'drain')
      for (let visit = 0; visit < 4; visit += 1) {
        const kept = await browser.ask()
        expect(kept.echo.id).toBe('w1')
        expect(kept.cookies()).toEqual([])
      }
      expect(await newSessions(gateway, 4)).toEqual(['w2', 'w2', 'w3', 'w3'])
    })

    test('a backend of weight 0 keeps its sessions and gets no new one [LB055, LB162]', async () => {
      const gateway = await start(await startBackends('w1', 'w2'))
      const browser = await gateway.browserOn({ id: 'w1' })
      gateway.pool.setWeight('w1', 0)
      expect(await browser.visit()).toBe('w1')
      expect(await newSessions(gateway, 3)).toEqual(['w2', 'w2', 'w2'])
    })

    test('a new session is better off on a draining backend than nowhere [LB145]', async () => {
      const gateway = await start(await startBackends('w1', 'w2'))
      for (const id of ['w1', 'w2']) gateway.pool.setState(id, 'drain')
      const browser = gateway.browser()
      const id = await browser.visit()
      expect(['w1', 'w2']).toContain(id)
      expect(await browser.visit()).toBe(id)
    })

    test('with weight 0 everywhere only old sessions are served [LB055, LB146]', async () => {
      const gateway = await start(await startBackends('w1', 'w2'))
      const browser = await gateway.browserOn({ id: 'w1' })
      for (const id of ['w1', 'w2']) gateway.pool.setWeight(id, 0)
      expect(await browser.visit()).toBe('w1')
      expect((await gateway.ask()).status).toBe(503)
    })

    test('a backend in maintenance takes no request; its sessions move [LB154]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      const before = w1.seen.length
      gateway.pool.setState('w1', 'maint')
      const moved = await browser.ask()
      expect(moved.echo.id).toBe('w2')
      expect(moved.cookies('SERVERID')).toHaveLength(1)
      expect(await newSessions(gateway, 2)).toEqual(['w2', 'w2'])
      expect(w1.seen).toHaveLength(before)
    })

    test('a backend that comes back gets new sessions again, and the moved ones stay [LB206]', async () => {
      const gateway = await start(await startBackends('w1', 'w2'))
      const browser = await gateway.browserOn({ id: 'w1' })
      gateway.pool.setState('w1', 'maint')
      expect(await browser.visit()).toBe('w2')
      gateway.pool.setState('w1', 'ready')
      expect(await browser.visit()).toBe('w2')
      expect(await newSessions(gateway, 4)).toEqual(['w1', 'w1', 'w2', 'w2'])
    })

    test.each(['drain', 'maint', 'remove'] as const)(
      'what is in flight is finished: %s [LB141]',
      async how => {
        const [w1, w2] = await startBackends('w1', 'w2')
        const gateway = await start([w1, w2])
        const browser = await gateway.browserOn(w1)
        let finish = (): void => {}
        w1.script = ({ id, response }) => {
          finish = () => response.end(JSON.stringify({ id }))
        }
        const answering = browser.ask()
        await w1.arrival(w1.seen.length + 1)
        if (how === 'remove') gateway.pool.remove('w1')
        else gateway.pool.setState('w1', how)
        finish()
        const answer = await answering
        expect(answer.status).toBe(200)
        expect(answer.echo.id).toBe('w1')
      },
    )
  })
}

/** The backends that clients without a cookie came to, sorted. */
async function newSessions(gateway: RunningGateway, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  for (let session = 0; session < count; session += 1) ids.push(await gateway.browser().visit())
  return ids.toSorted()
}
