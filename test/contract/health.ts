import { setTimeout as delay } from 'node:timers/promises'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { HealthChangedEvent } from '@limpet/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackendProcess } from '../support/backend-process.ts'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { echo } from '../support/scripts.ts'
import type { RunningGateway, Start } from './start.ts'

const HEALTH = { path: '/health', interval: 50, timeout: 100, fall: 2, rise: 2 } as const

/** Backends that are sick, found without a client's request, or by what became of it. */
export function health(start: Start): void {
  describe('health', () => {
    test('a sick backend gets no new session, its own are moved, and it comes back', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { health: HEALTH })
      const browser = await gateway.browserOn(w1)
      sicken(w1)
      await found(gateway, 'w1', false)
      const moved = await browser.ask()
      expect([moved.status, moved.echo.id]).toEqual([200, 'w2'])
      expect(await gateway.browser().visit()).toBe('w2')
      w1.script = echo
      await found(gateway, 'w1', true)
      expect(await browser.visit()).toBe('w2')
      await gateway.browserOn(w1)
    })

    test('a process that hangs is found as surely as one that is dead', async () => {
      const shops = await Promise.all(['w1', 'w2'].map(startBackendProcess))
      const gateway = await start(
        shops.map(shop => shop.options),
        { health: { ...HEALTH, path: '/' } },
      )
      const [w1, w2] = shops
      w1?.freeze()
      // Its connections stay open, so a check ends by its timeout alone.
      await found(gateway, 'w1', false)
      w1?.thaw()
      await found(gateway, 'w1', true)
      await w2?.kill()
      await found(gateway, 'w2', false)
    })

    test('a backend that starts down gets no request until it is proven up', async () => {
      const w1 = await startBackend('w1', ({ response }) => void response.writeHead(500).end())
      const gateway = await start([w1], { health: { ...HEALTH, initial: 'down' } })
      expect((await gateway.ask()).status).toBe(503)
      w1.script = echo
      await found(gateway, 'w1', true)
      expect((await gateway.ask()).status).toBe(200)
    })

    test('checks have nothing of a client, count for nothing, and end with the gateway [T-55]', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1], { health: HEALTH })
      await w1.arrival(3)
      expect(new Set(w1.seen.map(({ method, url }) => `${method} ${url}`))).toEqual(new Set(['GET /health']))
      expect(w1.connections).toBeGreaterThanOrEqual(3)
      expect(gateway.view(w1)).toMatchObject({ requests: 0, inFlight: 0, failures: 0 })
      await gateway.close()
      const { length } = w1.seen
      await delay(200)
      expect(w1.seen).toHaveLength(length)
    })

    test('requests that got no answer take their backend out, and one at a time brings it back', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2], { passive: { fall: 2, retryAfter: 300 } })
      const browser = await gateway.browserOn(w1)
      const others = await Promise.all([gateway.browserOn(w1), gateway.browserOn(w1)])
      await w1.refuse()
      for (const other of others) expect(await other.visit()).toBe('w2')
      expect(gateway.view(w1).healthy).toBe(false)
      await w1.listen()
      expect(await browser.visit()).toBe('w2')
      await delay(300)
      for (let visits = 0; visits < 4; visits += 1) await gateway.browser().visit()
      expect(gateway.view(w1).healthy).toBe(true)
      // A session that has moved stays.
      expect(await others[0]?.visit()).toBe('w2')
    })

    test('a request that kills every backend takes none out, and costs other requests nothing [T-52]', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      for (const backend of backends) {
        backend.script = async exchange => {
          if (exchange.request.url === '/poison') exchange.request.socket.destroy()
          else await echo(exchange)
        }
      }
      const gateway = await start(backends, { passive: { fall: 3 } })
      const browser = await gateway.browserOn(backends[0])
      for (let times = 0; times < 20; times += 1) {
        expect((await gateway.ask({ path: '/poison' })).status).toBe(502)
        expect((await gateway.ask({ method: 'POST', path: '/poison', body: 'x' })).status).toBe(502)
      }
      expect(gateway.pool.backends.map(view => view.healthy)).toEqual([true, true, true])
      expect(await browser.visit()).toBe('w1')
    })
  })
}

function sicken(backend: Backend): void {
  backend.script = ({ response }) => void response.writeHead(500).end()
}

/** Waits until it is known of `id`. */
async function found(gateway: RunningGateway, id: string, healthy: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  function note(event: unknown): void {
    const { backend, healthy: now } = event as HealthChangedEvent
    if (backend === id && now === healthy) resolve(undefined)
  }
  subscribe('limpet:health-changed', note)
  onTestFinished(() => void unsubscribe('limpet:health-changed', note))
  if (gateway.pool.find(id)?.healthy !== healthy) await promise
}
