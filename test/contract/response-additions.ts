import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { echoWith } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'
import type { Start } from './start.ts'

/** The fields that options add to responses. */
export function responseAdditions(start: Start): void {
  describe('serverTiming', () => {
    test('adds its member behind those of the backend', async () => {
      const w1 = await startBackend('w1', echoWith(200, { 'Server-Timing': 'db;dur=5' }))
      const gateway = await start([w1], { serverTiming: true })
      const answer = await gateway.ask()
      expect(answer.header('server-timing')).toMatch(/^db;dur=5, limpet;desc="none";dur=[\d.]+$/)
      const browser = await gateway.browserOn(w1)
      const again = await gateway.ask({ headers: { Cookie: browser.cookieHeader } })
      expect(again.header('server-timing')).toMatch(/limpet;desc="matched";dur=[\d.]+$/)
    })

    test('is off by default', async () => {
      const gateway = await start([await startBackend('w1')])
      expect((await gateway.ask()).header('server-timing')).toBeUndefined()
    })
  })

  describe('responseHeaders', () => {
    const { raw } = upgradeClients()
    const responseHeaders = {
      set: { 'X-Served-By': '${pool}/${backend} (${affinity})', 'X-Literal': '$${backend}' },
      remove: ['X-Secret'],
    }

    test('fill in backend, pool and status, also where affinity is ignored', async () => {
      const w1 = await startBackend('w1', echoWith(200, { 'X-Secret': '1', 'X-Served-By': 'me' }))
      const gateway = await start([w1], { name: 'shop', responseHeaders, ignore: [{ path: '/assets/' }] })
      for (const path of ['/', '/assets/a.css']) {
        const answer = await gateway.ask({ path })
        const fields = ['x-served-by', 'x-literal', 'x-secret'].map(name => answer.header(name))
        expect(fields).toEqual(['shop/w1 (none)', '${backend}', undefined])
      }
      const browser = await gateway.browserOn(w1)
      const again = await gateway.ask({ headers: { Cookie: browser.cookieHeader } })
      expect(again.header('x-served-by')).toBe('shop/w1 (matched)')
    })

    test('are in the 101 of a WebSocket', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1], { name: 'shop', responseHeaders })
      const tunnel = await raw(gateway.port)
      const { lines } = await tunnel.responded()
      expect(valuesOf(lines, 'x-served-by')).toEqual(['shop/w1 (none)'])
      await w1.handshake()
    })
  })
}
