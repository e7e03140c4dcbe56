import { kubernetes } from '@limpet/kubernetes'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ApiServer } from '../support/api-server.ts'
import { type Backend, startBackends } from '../support/backend.ts'
import { DnsServer } from '../support/dns-server.ts'
import { type EndpointSlice, type SlicePod, sliceOf } from '../support/endpoint-slice.ts'
import type { GatewayOptions } from './harness.ts'
import type { RunningGateway, Start } from './start.ts'

/** Backends that are found by their name, asked of a DNS server. */
export function discovery(start: Start): void {
  /** A gateway that finds its backends as services, each under a target of its own. */
  async function discovered(
    backends: readonly Backend[],
    options: Partial<GatewayOptions> = {},
  ): Promise<{ gateway: RunningGateway; dns: DnsServer }> {
    const dns = await DnsServer.start()
    publish(dns, ...backends)
    const gateway = await start([], {
      discovery: { dns: '_http._tcp.app.internal', type: 'SRV', refresh: '1s', servers: [dns.address] },
      ...options,
    })
    return { gateway, dns }
  }

  describe('discovery', () => {
    test('sessions stick to who was found, stay when others come, and move when theirs goes', async () => {
      const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
      const { gateway, dns } = await discovered([w1, w2])
      await members(gateway, w1, w2)
      const browser = gateway.browser()
      const home = await browser.visit()
      expect(['w1', 'w2']).toContain(home)
      publish(dns, w3, w2, w1)
      await members(gateway, w1, w2, w3)
      expect(await browser.visit()).toBe(home)
      const [own, ...others] = [w1, w2, w3].toSorted((a, b) => Number(b.id === home) - Number(a.id === home))
      publish(dns, ...others)
      await members(gateway, ...others)
      const moved = await browser.visit()
      expect(moved).not.toBe(own?.id)
      expect(await browser.visit()).toBe(moved)
    })

    test('a session whose backend has just left keeps it for the grace time, with onUnavailable reject [LB133, LB185]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      let nowMs = Date.now()
      const options = { onUnavailable: 'reject', removedGrace: '5m', now: () => nowMs } as const
      const { gateway, dns } = await discovered([w1, w2], options)
      await members(gateway, w1, w2)
      const browser = await gateway.browserOn(w1)
      publish(dns, w2)
      await members(gateway, w2)
      const refused = await browser.ask()
      expect(refused.status).toBe(503)
      expect(refused.cookies()).toEqual([])
      expect(await gateway.browser().visit()).toBe('w2')
      publish(dns, w1, w2)
      await members(gateway, w1, w2)
      expect(await browser.visit()).toBe('w1')
      publish(dns, w2)
      await members(gateway, w2)
      expect((await browser.ask()).status).toBe(503)
      nowMs += 5 * 60_000
      const moved = await browser.ask()
      expect(moved.echo.id).toBe('w2')
      expect(moved.cookies('SERVERID')).toHaveLength(1)
    })

    test('a pod that terminates keeps its sessions as long as it serves, and takes no new one', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const api = await ApiServer.start()
      onTestFinished(() => api.close())
      api.set(podOf(w1), podOf(w2))
      const gateway = await start([], {
        discovery: kubernetes({ service: 'shop', kubeconfig: api.kubeconfig }),
      })
      const { pool } = gateway
      await expect.poll(() => pool.backends.length, { interval: 10 }).toBe(2)
      const browser = gateway.browser()
      const home = await browser.visit()
      const [own, other] = home === 'w1' ? [w1, w2] : [w2, w1]
      api.set(podOf(own, { terminating: true }))
      await expect.poll(() => pool.find(own.id)?.state, { interval: 10 }).toBe('drain')
      expect(await browser.visit()).toBe(own.id)
      for (let visits = 0; visits < 3; visits += 1) expect(await gateway.browser().visit()).toBe(other.id)
      api.set(podOf(own, { terminating: true, ready: false }))
      await expect.poll(() => pool.find(own.id)?.state, { interval: 10 }).toBe('maint')
      expect(await browser.visit()).toBe(other.id)
      api.delete(own.id)
      await expect.poll(() => pool.backends.length, { interval: 10 }).toBe(1)
      expect(await browser.visit()).toBe(other.id)
    })

    test('a failed lookup changes nothing, and before the first the pool is empty', async () => {
      const [w1] = await startBackends('w1')
      const dns = await DnsServer.start()
      dns.failure = 3
      const gateway = await start([], {
        discovery: { dns: '_http._tcp.app.internal', type: 'SRV', refresh: '1s', servers: [dns.address] },
      })
      expect((await gateway.ask()).status).toBe(503)
      dns.failure = 0
      publish(dns, w1)
      await members(gateway, w1)
      const browser = gateway.browser()
      expect(await browser.visit()).toBe('w1')
      dns.failure = 2
      const { length } = dns.asked
      await expect.poll(() => dns.asked.length, { interval: 20 }).toBeGreaterThan(length + 1)
      expect(await browser.visit()).toBe('w1')
    })
  })
}

/** A backend as a pod: each has a slice of its own, for they differ in their ports. */
function podOf({ id, port }: Backend, conditions: Partial<SlicePod> = {}): EndpointSlice {
  return sliceOf(id, [{ name: id, address: '127.0.0.1', ...conditions }], {
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  })
}

/** Says of each backend that it is a target of `_http._tcp.app.internal`. */
function publish(dns: DnsServer, ...backends: readonly Backend[]): void {
  dns.records = backends.flatMap(({ id, port }) => [
    {
      type: 'SRV' as const,
      name: '_http._tcp.app.internal',
      ttl: 1,
      data: { target: `${id}.app.internal`, port, priority: 0, weight: 0 },
    },
    { type: 'A' as const, name: `${id}.app.internal`, ttl: 1, data: '127.0.0.1' },
  ])
}

async function members({ pool }: RunningGateway, ...backends: readonly Backend[]): Promise<void> {
  const ids = backends.map(({ id, port }) => `${id}_app_internal-${port}`)
  await expect
    .poll(() => pool.backends.map(view => view.backend.id).toSorted(), { interval: 10 })
    .toEqual(ids.toSorted())
}
