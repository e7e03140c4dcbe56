import { Resolver } from 'node:dns/promises'
import { setImmediate } from 'node:timers/promises'
import { createAffinity, type DiscoveryOptions } from '@limpet/core'
import { createHttpProxy } from '@limpet/http-proxy'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DnsServer } from '../support/dns-server.ts'

/** The replies of a DNS server, and their effect on a pool. */

function follow(dns: DnsServer, options: Partial<DiscoveryOptions> = {}) {
  const affinity = createAffinity({ affinity: [], backends: [] })
  const proxy = createHttpProxy({
    use: affinity,
    discovery: { dns: 'app.internal:8080', refresh: '1s', servers: [dns.address], ...options },
  })
  onTestFinished(() => proxy.close())
  const rows = (): string[] =>
    affinity.pool.backends.map(
      ({ backend, weight, backup }) =>
        `${backend.id} ${backend.url.origin} ${weight}${backup ? ' backup' : ''}`,
    )
  return { rows, proxy }
}

function service(target: string, port = 8080, priority = 0, weight = 0) {
  return {
    type: 'SRV' as const,
    name: '_http._tcp.app.internal',
    ttl: 1,
    data: { target, port, priority, weight },
  }
}

function address(name: string, data: string) {
  return { type: data.includes(':') ? ('AAAA' as const) : ('A' as const), name, ttl: 1, data }
}

describe('a name', () => {
  test('of several A records is several backends', async () => {
    const dns = await DnsServer.start()
    dns.set(['10.0.0.2', '10.0.0.1'])
    const { rows } = follow(dns, { protocol: 'https' })
    await expect
      .poll(rows)
      .toEqual(['10_0_0_1-8080 https://10.0.0.1:8080 1', '10_0_0_2-8080 https://10.0.0.2:8080 1'])
  })

  test('of AAAA records is asked for by its type alone', async () => {
    const dns = await DnsServer.start()
    dns.set(['fd00::7', '10.0.0.1'])
    const { rows } = follow(dns, { type: 'AAAA' })
    await expect.poll(rows).toEqual(['fd00__7-8080 http://[fd00::7]:8080 1'])
    expect(new Set(dns.asked)).toEqual(new Set(['AAAA app.internal']))
  })

  test('of SRV records has their ports, weights and priorities; what has no address or port is left out', async () => {
    const dns = await DnsServer.start()
    dns.records = [
      service('web-1.app.internal', 8081, 10, 30),
      service('web-0.app.internal', 8080, 10, 60),
      service('spare.app.internal', 8080, 20, 0),
      service('gone.app.internal', 8080, 10, 10),
      service('web-0.app.internal', 0, 10, 10),
      address('web-0.app.internal', '10.0.0.1'),
      address('web-1.app.internal', '10.0.0.2'),
      address('spare.app.internal', 'fd00::9'),
    ]
    const { rows } = follow(dns, { dns: '_http._tcp.app.internal', type: 'SRV' })
    await expect
      .poll(rows)
      .toEqual([
        'spare_app_internal-8080 http://[fd00::9]:8080 1 backup',
        'web-0_app_internal-8080 http://10.0.0.1:8080 60',
        'web-1_app_internal-8081 http://10.0.0.2:8081 30',
      ])
  })

  test('with more addresses than a datagram holds is asked for once more over TCP', async () => {
    const dns = await DnsServer.start()
    const addresses = Array.from({ length: 60 }, (_, index) => `10.0.1.${index}`)
    dns.set(addresses)
    const { rows } = follow(dns)
    await expect.poll(() => rows().length).toBe(60)
  })

  test.each([
    ['SERVFAIL', 2],
    ['NXDOMAIN', 3],
    ['REFUSED', 5],
    ['an answer without a record', 0],
  ])('that is met with %s keeps its backends', async (_what, failure) => {
    const dns = await DnsServer.start()
    dns.set(['10.0.0.1'])
    const { rows } = follow(dns)
    await expect.poll(rows).toHaveLength(1)
    dns.failure = failure
    dns.set([])
    const { length } = dns.asked
    await expect.poll(() => dns.asked.length).toBeGreaterThan(length + 1)
    expect(rows()).toHaveLength(1)
    dns.failure = 0
    dns.set(['10.0.0.2'])
    await expect.poll(rows).toEqual(['10_0_0_2-8080 http://10.0.0.2:8080 1'])
  })

  test('of SRV records keeps a target that cannot be looked up, and leaves one that is gone', async () => {
    const dns = await DnsServer.start()
    dns.records = [
      service('a.app.internal'),
      service('b.app.internal'),
      service('c.app.internal'),
      address('a.app.internal', '10.0.0.1'),
      address('b.app.internal', '10.0.0.2'),
      address('c.app.internal', '10.0.0.3'),
      address('c.app.internal', 'fd00::3'),
    ]
    const { rows } = follow(dns, { dns: '_http._tcp.app.internal', type: 'SRV' })
    await expect.poll(rows).toHaveLength(3)
    dns.failures.set('A b.app.internal', 3).set('AAAA b.app.internal', 3).set('A c.app.internal', 2)
    await expect
      .poll(rows)
      .toEqual(['a_app_internal-8080 http://10.0.0.1:8080 1', 'c_app_internal-8080 http://10.0.0.3:8080 1'])
    dns.failures.clear()
    await expect.poll(rows).toHaveLength(3)
  })

  test('of SRV records is not asked for any more once it is closed, in the middle of a target', async () => {
    const dns = await DnsServer.start()
    dns.records = [service('a.app.internal'), address('a.app.internal', 'fd00::1')]
    dns.failures.set('A a.app.internal', -1)
    const { proxy } = follow(dns, { dns: '_http._tcp.app.internal', type: 'SRV' })
    await expect.poll(() => dns.asked).toContain('A a.app.internal')
    proxy.close()
    await setImmediate()
    // An earlier query has arrived before this one.
    const resolver = new Resolver()
    resolver.setServers([dns.address])
    await resolver.resolve4('end.internal').catch(() => undefined)
    expect(dns.asked.slice(dns.asked.indexOf('A a.app.internal') + 1)).toEqual(['A end.internal'])
  })

  test('without a reply does not block a shutdown', async () => {
    const dns = await DnsServer.start()
    dns.failure = -1
    const { rows, proxy } = follow(dns)
    proxy.close()
    expect(rows()).toEqual([])
  })
})
