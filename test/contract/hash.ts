import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import type { Asked } from '../support/http-client.ts'
import type { RunningGateway, Start } from './start.ts'

/** Sessions without stored state: their backend follows from the request alone. */
export function hash(start: Start): void {
  describe('a hash', () => {
    test.each<[string, string, (session: number) => Asked]>([
      ['of a header', 'header:X-Session-ID', session => ({ headers: { 'X-Session-ID': `s${session}` } })],
      ['of a query parameter', 'query:room', session => ({ path: `/join?a=1&room=${session}` })],
      ['of a cookie', 'cookie:sid', session => ({ headers: { Cookie: `a=1; sid=${session}` } })],
      ['of the path', 'path', session => ({ path: `/rooms/${session}?t=${Math.random()}` })],
    ])('%s brings its requests together, whatever their method', async (_of, key, asked) => {
      const gateway = await start(await startBackends('w1', 'w2', 'w3'), {
        affinity: [],
        balance: { hash: key as 'path' },
      })
      const homes = await idsOf(gateway, asked)
      expect(new Set(homes).size).toBe(3)
      expect(await idsOf(gateway, session => ({ ...asked(session), method: 'POST', body: 'x' }))).toEqual(
        homes,
      )
    })

    test('of the address keeps a client at one backend, and believes X-Forwarded-For of those it trusts alone [T-22]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const options = { affinity: [], balance: { hash: 'ip' } } as const
      const asked = (session: number): Asked => ({ headers: { 'X-Forwarded-For': `192.0.2.${session}` } })
      const wary = await start(backends, options)
      expect(new Set(await idsOf(wary, asked)).size).toBe(1)
      const trusting = await start(backends, { ...options, trustProxy: ['127.0.0.1', '::1'] })
      expect(new Set(await idsOf(trusting, asked)).size).toBe(3)
    })

    test('of the first key that is there decides; with none, clients take turns', async () => {
      const balance = { hash: ['header:X-Session-ID', 'cookie:sid'] } as const
      const gateway = await start(await startBackends('w1', 'w2', 'w3'), { affinity: [], balance })
      const byHeader = await idsOf(gateway, session => ({
        headers: { 'X-Session-ID': `s${session}`, Cookie: 'sid=same' },
      }))
      const byCookie = await idsOf(gateway, session => ({ headers: { Cookie: `sid=s${session}` } }))
      expect(byCookie).toEqual(byHeader)
      expect((await idsOf(gateway, () => ({}))).slice(0, 6).toSorted()).toEqual([
        'w1',
        'w1',
        'w2',
        'w2',
        'w3',
        'w3',
      ])
    })

    test('moves the sessions of a backend that has gone, and no others', async () => {
      const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
      const gateway = await start([w1, w2, w3], { affinity: [], balance: { hash: 'query:room' } })
      const asked = (session: number): Asked => ({ path: `/?room=${session}` })
      const before = await idsOf(gateway, asked)
      await w2.refuse()
      const after = await idsOf(gateway, asked)
      expect(after).not.toContain('w2')
      expect(after.filter((_, session) => before[session] !== 'w2')).toEqual(before.filter(id => id !== 'w2'))
      // Found dead by a request and known dead come to the same.
      gateway.pool.setHealthy('w2', false)
      expect(await idsOf(gateway, asked)).toEqual(after)
    })

    test('places new sessions, and a cookie keeps them [T-21]', async () => {
      const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
      const gateway = await start([w1, w2], { balance: { hash: 'ip', boundedLoad: 1.25 } })
      const browser = gateway.browser()
      const home = await browser.visit()
      gateway.pool.add(w3.options)
      for (let visit = 0; visit < 5; visit += 1) expect(await browser.visit()).toBe(home)
    })
  })
}

async function idsOf(gateway: RunningGateway, asked: (session: number) => Asked): Promise<readonly string[]> {
  const ids: string[] = []
  for (let session = 0; session < 30; session += 1) ids.push((await gateway.ask(asked(session))).echo.id)
  return ids
}
