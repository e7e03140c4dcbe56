import { createAffinity } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { echoWith } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { SECRET, type Start } from './start.ts'

/** Requests that are pinned to a backend. */
export function pins(start: Start): void {
  describe('a pin', () => {
    const { raw } = upgradeClients()

    test.each([
      ['field', (pin: string) => ({ 'Limpet-Pin': pin })],
      ['cookie', (pin: string) => ({ Cookie: `a=1; limpet-pin=${pin}; b=2` })],
    ])('in the %s leads to its backend, while it drains and in maintenance', async (_, headersOf) => {
      const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
      const gateway = await start([w1, w2])
      const headers = headersOf(gateway.affinity.pinToken({ backend: 'w2' }))
      for (const state of ['ready', 'drain', 'maint'] as const) {
        gateway.pool.setState('w2', state)
        const answer = await gateway.ask({ headers })
        expect([answer.echo.id, answer.cookies()]).toEqual(['w2', []])
        expect(valuesOf(w2.last.lines, 'limpet-pin')).toEqual([])
        expect(joinedValue(w2.last.lines, 'cookie') ?? '').not.toContain('limpet-pin')
      }
      gateway.pool.setState('w2', 'ready')
    })

    test('does not touch the session of the client', async () => {
      const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      const started = (): number[] => gateway.affinity.stats().backends.map(row => row.sessionsStarted)
      const before = started()
      const pinned = await gateway.ask({
        headers: { Cookie: browser.cookieHeader, 'Limpet-Pin': gateway.affinity.pinToken({ backend: 'w2' }) },
      })
      expect([pinned.echo.id, pinned.cookies()]).toEqual(['w2', []])
      expect(started()).toEqual(before)
      expect(await browser.visit()).toBe('w1')
    })

    test('of a backend that is down leads to another, without a cookie', async () => {
      const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
      const gateway = await start([w1, w2])
      gateway.pool.setHealthy('w2', false)
      const headers = {
        'Limpet-Pin': gateway.affinity.pinToken({ backend: 'w2' }),
        'Limpet-Debug': gateway.affinity.debugToken(),
      }
      const answer = await gateway.ask({ headers })
      expect([answer.echo.id, answer.cookies()]).toEqual(['w1', []])
      expect(JSON.parse(answer.header('limpet-decision') ?? '')).toMatchObject({
        backend: 'w1',
        by: 'balancer',
        reason: 'the request is pinned to w2, which is down or full, so round-robin gives it w1',
      })
      gateway.pool.setHealthy('w2', true)
    })

    test('keeps its response out of shared caches, as they give it to clients without the pin', async () => {
      const page = echoWith(200, { 'Cache-Control': 'public, max-age=60', ETag: '"1"' })
      const [w1, w2] = [await startBackend('w1', page), await startBackend('w2', page)]
      const gateway = await start([w1, w2], { affinity: [] })
      gateway.pool.setState('w2', 'maint')
      const pinned = await gateway.ask({
        headers: { 'Limpet-Pin': gateway.affinity.pinToken({ backend: 'w2' }) },
      })
      expect([pinned.echo.id, pinned.header('cache-control')]).toEqual(['w2', 'private, max-age=60'])
      expect((await gateway.ask()).header('cache-control')).toBe('public, max-age=60')
      gateway.pool.setState('w2', 'ready')
    })

    test('is ignored when it is wrong, expired, or of another pool, and goes no further either', async () => {
      const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
      const gateway = await start([w1, w2], { balance: 'first' })
      const options = { backends: [], secrets: [SECRET], name: gateway.pool.name }
      const pin = { backend: 'w2' }
      const values = [
        'w2',
        gateway.affinity.debugToken(),
        createAffinity({ ...options, name: 'other' }).pinToken(pin),
        createAffinity({ ...options, secrets: [`another ${SECRET}`] }).pinToken(pin),
        createAffinity({ ...options, now: () => Date.now() - 60_000 }).pinToken({ ...pin, ttl: '30s' }),
        gateway.affinity.pinToken({ backend: 'w9' }),
      ]
      for (const value of values) {
        const answer = await gateway.ask({ headers: { 'Limpet-Pin': value, Cookie: `limpet-pin=${value}` } })
        expect([answer.echo.id, answer.cookies().length]).toEqual(['w1', 1])
        expect(valuesOf(w1.last.lines, 'limpet-pin')).toEqual([])
        expect(valuesOf(w1.last.lines, 'cookie')).toEqual([])
      }
    })

    test('leads a WebSocket to a backend in maintenance', async () => {
      const [w1, w2] = [await startTunnelBackend('w1'), await startTunnelBackend('w2')]
      const gateway = await start([w1, w2])
      gateway.pool.setState('w2', 'maint')
      const pin = gateway.affinity.pinToken({ backend: 'w2' })
      const tunnel = await raw(gateway.port, handshakeText(`Limpet-Pin: ${pin}`))
      expect((await tunnel.responded()).statusLine).toMatch(/ 101 /)
      const { lines } = await w2.handshake()
      expect(valuesOf(lines, 'limpet-pin')).toEqual([])
      gateway.pool.setState('w2', 'ready')
    })
  })
}
