import { createAffinity, type Explanation } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { echoWith, resetBeforeHead } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { SECRET, type Start } from './start.ts'

/** The decision about a request, for a client that has a debug token. */
export function decisions(start: Start): void {
  describe('the decision', () => {
    const { raw } = upgradeClients()

    test('comes with the response to a request with a token, and the token goes no further', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const browser = await gateway.browserOn(w1)
      const answer = await gateway.ask({
        headers: { 'Limpet-Debug': gateway.affinity.debugToken(), Cookie: browser.cookieHeader },
      })
      const decision = JSON.parse(answer.header('limpet-decision') ?? '') as Explanation
      expect(decision).toMatchObject({
        backend: 'w1',
        by: 'key',
        status: 'matched',
        policies: [{ policy: 'cookie', keys: [{ claim: 'backend', backend: 'w1', format: 'signed' }] }],
        backends: [{ id: 'w1', candidate: true }],
        attempts: [{ backend: 'w1', outcome: 'responded', statusCode: 200 }],
      })
      expect(valuesOf(w1.last.lines, 'limpet-debug')).toEqual([])
    })

    test('stays out of shared caches, as they give it to clients without a token', async () => {
      const page = echoWith(200, { 'Cache-Control': 'public, max-age=60', ETag: '"1"' })
      const gateway = await start([await startBackend('w1', page)], { affinity: [] })
      const headers = { 'Limpet-Debug': gateway.affinity.debugToken() }
      const answer = await gateway.ask({ headers })
      expect([answer.header('limpet-decision') !== undefined, answer.header('cache-control')]).toEqual([
        true,
        'private, max-age=60',
      ])
      expect((await gateway.ask()).header('cache-control')).toBe('public, max-age=60')
    })

    test('tells of each attempt', async () => {
      const [w1, w2] = [await startBackend('w1', resetBeforeHead), await startBackend('w2')]
      const gateway = await start([w1, w2], { balance: 'first' })
      const answer = await gateway.ask({ headers: { 'Limpet-Debug': gateway.affinity.debugToken() } })
      const { attempts } = JSON.parse(answer.header('limpet-decision') ?? '') as Explanation
      expect(attempts).toMatchObject([
        { backend: 'w1', outcome: 'broken' },
        { backend: 'w2', outcome: 'responded', statusCode: 200 },
      ])
    })

    test('comes with a 503, and with a 502', async () => {
      const w1 = await startBackend('w1', resetBeforeHead)
      const gateway = await start([w1])
      const headers = { 'Limpet-Debug': gateway.affinity.debugToken() }
      const broken = await gateway.ask({ headers })
      expect([broken.status, JSON.parse(broken.header('limpet-decision') ?? '')]).toMatchObject([
        502,
        { attempts: [{ backend: 'w1', outcome: 'broken' }] },
      ])
      gateway.pool.setState('w1', 'maint')
      const none = await gateway.ask({ headers })
      expect([none.status, JSON.parse(none.header('limpet-decision') ?? '')]).toMatchObject([
        503,
        { by: 'none', backends: [{ id: 'w1', obstacle: 'maint' }] },
      ])
      gateway.pool.setState('w1', 'ready')
      await w1.refuse()
    })

    test('comes with the 101 of a WebSocket', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      const tunnel = await raw(gateway.port, handshakeText(`Limpet-Debug: ${gateway.affinity.debugToken()}`))
      const { statusLine, lines: given } = await tunnel.responded()
      expect(statusLine).toMatch(/^HTTP.1.1 101 /)
      expect(JSON.parse(valuesOf(given, 'limpet-decision')[0] ?? '')).toMatchObject({
        attempts: [{ backend: 'w1', outcome: 'responded', statusCode: 101 }],
      })
      const { lines } = await w1.handshake()
      expect(valuesOf(lines, 'limpet-debug')).toEqual([])
    })

    test("is not given for a wrong, an expired or another pool's token, which goes no further either", async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1])
      const options = { backends: [], secrets: [SECRET], name: gateway.pool.name }
      const tokens = [
        'yes',
        createAffinity({ ...options, name: 'other' }).debugToken(),
        createAffinity({ ...options, secrets: [`another ${SECRET}`] }).debugToken(),
        createAffinity({ ...options, now: () => Date.now() - 60_000 }).debugToken({ ttl: '30s' }),
      ]
      for (const token of tokens) {
        const answer = await gateway.ask({ headers: { 'Limpet-Debug': token } })
        expect([answer.status, answer.header('limpet-decision')]).toEqual([200, undefined])
        expect(valuesOf(w1.last.lines, 'limpet-debug')).toEqual([])
      }
    })
  })
}
