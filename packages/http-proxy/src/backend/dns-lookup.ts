import { NODATA, NOTFOUND, Resolver } from 'node:dns/promises'
import {
  type DiscoverySettings,
  type Lookup,
  serviceBackends,
  type ServiceRecord,
} from '@limpet/core/adapter'

interface Address {
  readonly address: string
  readonly ttl: number
}

/** For one server; the next is asked after that. */
const TIMEOUT_MS = 2_000
const TRIES = 2

/** By node's resolver, which asks DNS servers and reads no hosts file. */
export function dnsLookup({ name, port, type, servers }: DiscoverySettings): Lookup {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES })
  if (servers !== undefined) resolver.setServers(servers)
  /** Addresses of the last lookup of each target. */
  let known: ReadonlyMap<string, readonly Address[]> = new Map()
  let isClosed = false

  async function addresses(): ReturnType<Lookup['find']> {
    const records =
      type === 'AAAA'
        ? await resolver.resolve6(name, { ttl: true })
        : await resolver.resolve4(name, { ttl: true })
    const backends = records.map(({ address }) => ({
      host: address,
      address,
      port,
      weight: 1,
      backup: false,
    }))
    return { backends, ttlMs: leastTtlMs(records) }
  }

  /** Node tells no time to live of SRV records; that of their targets' addresses has to do. */
  async function services(): ReturnType<Lookup['find']> {
    // No connection can be made to port 0.
    const records = (await resolver.resolveSrv(name)).filter(record => record.port > 0)
    const targets = await Promise.all(
      records.map(async record => ({ record, addresses: await addressesOf(record) })),
    )
    const found = targets.flatMap(target => target.addresses)
    if (found.length === 0) throw new Error(`no target of ${name} has an address and a port`)
    known = new Map(targets.map(target => [target.record.name, target.addresses]))
    return { backends: serviceBackends(targets), ttlMs: leastTtlMs(found) }
  }

  /**
   * A target without an address does not affect the others. After a failed lookup a target keeps its addresses and its
   * IP family, because another address would be another server.
   */
  async function addressesOf({ name: target }: ServiceRecord): Promise<readonly Address[]> {
    const before = known.get(target) ?? []
    try {
      return await resolver.resolve4(target, { ttl: true })
    } catch (error) {
      if (isClosed || (before.length > 0 && !isAbsence(error))) return before
    }
    try {
      return await resolver.resolve6(target, { ttl: true })
    } catch (error) {
      return isAbsence(error) ? [] : before
    }
  }

  return {
    find: type === 'SRV' ? services : addresses,
    close() {
      isClosed = true
      resolver.cancel()
    },
  }
}

/** There is no such name, or it has no such record: an answer, and no failure. */
function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === NOTFOUND || code === NODATA
}

function leastTtlMs(addresses: readonly Address[]): number {
  return Math.min(...addresses.map(({ ttl }) => ttl)) * 1_000
}
