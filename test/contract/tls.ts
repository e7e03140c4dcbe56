import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { echo } from '../support/scripts.ts'
import { testCertificate } from '../support/tls.ts'
import type { GatewayOptions } from './harness.ts'
import { expectOwnAnswer } from './own-answers.ts'
import type { RunningGateway, Start } from './start.ts'

/** Backends behind https, with a self-signed certificate. */
export function tls(start: Start): void {
  async function pair(
    options: GatewayOptions['tls'] = {},
  ): Promise<{ gateway: RunningGateway; w1: Backend }> {
    const w1 = await startBackend('w1', echo, { tls: true })
    return { gateway: await start([w1], { tls: options }), w1 }
  }
  const ca = testCertificate.cert

  describe('TLS to a backend', () => {
    test('a self-signed certificate is 502 [D-07]', async () => {
      const { gateway, w1 } = await pair()
      expectOwnAnswer(await gateway.ask(), 502)
      expectOwnAnswer(await gateway.ask({ method: 'POST', body: 'secret' }), 502)
      expect(w1.seen).toEqual([])
    })

    test('a certificate of a ca of ours is good [D-07]', async () => {
      const { gateway, w1 } = await pair({ ca })
      const browser = gateway.browser()
      expect([await browser.visit(), await browser.visit()]).toEqual(['w1', 'w1'])
      expect((await browser.ask({ method: 'POST', body: 'x'.repeat(100_000) })).echo.bytes).toBe(100_000)
      expect(w1.connections).toBe(1)
    })

    test('any certificate is accepted without verification [D-07]', async () => {
      const { gateway } = await pair({ verify: false })
      expect((await gateway.ask()).status).toBe(200)
    })

    test('the name that is asked for is the one that the certificate must have', async () => {
      const { gateway, w1 } = await pair({ ca, servername: 'app.internal' })
      expect((await gateway.ask()).status).toBe(200)
      expect(w1.serverNames).toEqual(['app.internal'])
      const other = await pair({ ca, servername: 'other.internal' })
      expectOwnAnswer(await other.gateway.ask(), 502)
      expect(other.w1.seen).toEqual([])
    })

    test('a backend that speaks no TLS is left for one that does, with the body', async () => {
      const [plain, w2] = [await startBackend('w1'), await startBackend('w2', echo, { tls: true })]
      const pretender = { id: 'w1', url: `https://127.0.0.1:${plain.port}` }
      const gateway = await start([pretender, w2], { tls: { ca } })
      for (let upload = 0; upload < 2; upload += 1) {
        const answer = await gateway.ask({ method: 'POST', body: 'x'.repeat(100_000) })
        expect(answer.echo).toMatchObject({ id: 'w2', bytes: 100_000 })
      }
      plain.malformed.length = 0
    })
  })
}
