import { describe, expect, test } from 'vitest'
import { type Backend, startBackends } from '../support/backend.ts'
import { type RunningGateway, SECRET, type Start } from './start.ts'

/** Several gateways and several pools: which of them mean the same session. */
export function pools(start: Start): void {
  describe('pools', () => {
    test('gateways with the same secret and pool agree, also after a restart [LB004, T-10]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      const [one, other] = [await start(backends), await start(backends.toReversed())]
      const browser = await one.browserOn({ id: 'w2' })
      const answer = await other.ask({ headers: { Cookie: browser.cookieHeader } })
      expect(answer.echo.id).toBe('w2')
      expect(answer.cookies()).toEqual([])
    })

    test('the cookie of one pool says nothing to another, though names and secrets are the same [LB092, T-04]', async () => {
      const backends = await startBackends('w1', 'w2')
      const [web, api] = [await start(backends, { name: 'web' }), await start(backends, { name: 'api' })]
      await expectForeign(web, api, backends)
    })

    test('the cookie of another secret says nothing [T-05]', async () => {
      const backends = await startBackends('w1', 'w2')
      await expectForeign(
        await start(backends),
        await start(backends, { secrets: [`another-${SECRET}`] }),
        backends,
      )
    })

    test('two pools that share backends keep their own sessions in one browser [LB092]', async () => {
      const backends = await startBackends('w1', 'w2')
      const web = await start(backends, { name: 'web', affinity: [{ cookie: { name: 'WEB' } }] })
      const api = await start(backends, { name: 'api', affinity: [{ cookie: { name: 'API' } }] })
      const onWeb = await web.browserOn({ id: 'w1' })
      const onApi = await api.browserOn({ id: 'w2' })
      const both = { headers: { Cookie: `${onWeb.cookieHeader}; ${onApi.cookieHeader}` } }
      expect((await web.ask(both)).echo.id).toBe('w1')
      expect((await api.ask(both)).echo.id).toBe('w2')
    })
  })
}

/** A client that comes to `to` with a cookie of `from` is a new session there. */
async function expectForeign(
  from: RunningGateway,
  to: RunningGateway,
  backends: readonly Backend[],
): Promise<void> {
  const ids = new Set<string>()
  for (const backend of backends) {
    const { cookieHeader } = await from.browserOn(backend)
    for (let visit = 0; visit < 3; visit += 1) {
      const answer = await to.ask({ headers: { Cookie: cookieHeader } })
      expect(answer.cookies('SERVERID')).toHaveLength(1)
      ids.add(answer.echo.id)
    }
  }
  expect(ids.size, 'placed by the balancer').toBe(backends.length)
}
