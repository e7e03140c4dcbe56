import type { AffinityPolicy } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { valuesOf } from '../support/header-lines.ts'
import { startTunnelBackend, startTunnelBackends } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { acceptWith } from '../support/upgrade-scripts.ts'
import { SECRET, type Start } from './start.ts'

/** WebSocket handshakes: they belong to sessions like any request, and pass as they are. */
export function upgrades(start: Start): void {
  describe('a WebSocket handshake', () => {
    const { web, raw } = upgradeClients()

    test('goes to the backend on which the session began by HTTP, and brings no second cookie', async () => {
      const backends = await startTunnelBackends('w1', 'w2', 'w3')
      const gateway = await start(backends)
      for (const backend of backends) {
        const browser = await gateway.browserOn(backend)
        const { lines } = await web(gateway.port, { headers: { Cookie: browser.cookieHeader } })
        expect(valuesOf(lines, 'set-cookie')).toEqual([])
        expect(backend.handshakes).toHaveLength(1)
        expect(gateway.view(backend).inFlight).toBe(1)
      }
    })

    test('begins a session: its key is on the 101, beside the backend’s own cookies [LB208]', async () => {
      const [w1, w2] = await startTunnelBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const own = ['app=1; Path=/app; Secure', 'theme=dark']
      for (const backend of [w1, w2]) {
        backend.upgrade = acceptWith({ extra: own.map(cookie => `Set-Cookie: ${cookie}`) })
        const { lines } = await web(gateway.port)
        const cookies = valuesOf(lines, 'set-cookie')
        expect(cookies.slice(0, 2)).toEqual(own)
        expect(cookies[2]).toMatch(/^SERVERID=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)
        expect(cookies).toHaveLength(3)
        const Cookie = cookies[2]?.split(';')[0] ?? ''
        for (let visit = 0; visit < 3; visit += 1)
          expect((await gateway.ask({ headers: { Cookie } })).echo.id).toBe(backend.id)
      }
      expect([w1.handshakes.length, w2.handshakes.length]).toEqual([1, 1])
    })

    test('may follow a request on its connection', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      const client = await raw(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until(received => received.endsWith('}'))
      client.received = ''
      client.write(handshakeText())
      expect((await client.responded()).statusLine).toContain(' 101 ')
      client.write('ping')
      await client.until(() => client.behind === 'ping')
      expect(client.behind).toBe('ping')
    })

    test('waits for a policy that asks elsewhere, and so does what follows it [T-36]', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const backends = await startTunnelBackends('w1', 'w2')
      const read = async (): Promise<{ kind: 'backend'; id: string }> => {
        await promise
        return { kind: 'backend', id: 'w2' }
      }
      const gateway = await start(backends, { affinity: [{ name: 'test', read }] })
      const client = await raw(gateway.port, `${handshakeText()}first`)
      client.write(' second')
      resolve()
      await client.until(() => client.behind === 'first second')
      expect(client.behind).toBe('first second')
      expect(backends.map(({ handshakes }) => handshakes.length)).toEqual([0, 1])
    })

    test('for which a policy throws is 500, and harms no other request [T-59]', async () => {
      const w1 = await startTunnelBackend('w1')
      const broken: AffinityPolicy = {
        name: 'broken',
        read: () => ({ kind: 'none' }),
        forwardHeaders: {
          cookie(line) {
            if (line === 'bad=1') throw new Error('no route to 10.0.0.1:6379')
            return line
          },
        },
      }
      const gateway = await start([w1], { affinity: [broken] })
      const client = await raw(gateway.port, handshakeText('Cookie: bad=1'))
      await client.until(() => false)
      expect(client.received).toMatch(/^HTTP\/1\.1 500 [^]*\r\n500 Internal Server Error\n$/)
      expect([client.closed, w1.handshakes.length]).toEqual([true, 0])
      await web(gateway.port)
    })

    test('keeps its session on a draining backend, and begins none there; leaves one in maintenance', async () => {
      const backends = await startTunnelBackends('w1', 'w2')
      const [w1, w2] = backends
      const gateway = await start(backends, { secrets: [SECRET] })
      const headers = { Cookie: (await gateway.browserOn(w1)).cookieHeader }
      gateway.pool.setState('w1', 'drain')
      expect(valuesOf((await web(gateway.port, { headers })).lines, 'set-cookie')).toEqual([])
      for (let session = 0; session < 3; session += 1) await web(gateway.port)
      expect([w1.handshakes.length, w2.handshakes.length]).toEqual([1, 3])
      gateway.pool.setState('w1', 'maint')
      expect(valuesOf((await web(gateway.port, { headers })).lines, 'set-cookie')).toHaveLength(1)
      expect([w1.handshakes.length, w2.handshakes.length]).toEqual([1, 4])
    })
  })
}
