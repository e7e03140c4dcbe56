import { afterEach, vi } from 'vitest'
import { useFakeTimers } from '../fake-timers.fixture.ts'
import { LivePool } from '../pool/live-pool.ts'
import { startDiscovery } from './discovery.ts'
import { parseDiscovery } from './discovery-options.ts'
import type { Found } from './lookup.ts'
import { lookupSource } from './lookup-source.ts'
import type { ResolvedBackend } from './resolved-backend.ts'

export function at(address: string, more: Partial<ResolvedBackend> = {}): ResolvedBackend {
  return { host: address, address, port: 80, weight: 1, backup: false, ...more }
}

export function discovering(first: readonly ResolvedBackend[], pool = new LivePool('p', [])) {
  const settings = parseDiscovery('discovery', { dns: 'app.internal:80', refresh: '1m' })
  if (settings === undefined) throw new Error('no settings')
  const dns = { found: { backends: first, ttlMs: 1_000 } as Found | Error, asked: 0 }
  const source = lookupSource(settings, () => ({
    async find() {
      dns.asked += 1
      if (dns.found instanceof Error) throw dns.found
      return dns.found
    },
    close() {},
  }))
  const discovery = startDiscovery(pool, source)
  closers.push(() => discovery.close())
  return { pool, dns, discovery }
}

const closers: (() => void)[] = []

/** Fake timers for each test of a file. After it the discovery of pools is closed, and no timer is left. */
export function useDiscoveryTimers(): void {
  useFakeTimers()
  // Of two, the later one runs first.
  afterEach(() => {
    for (const close of closers.splice(0)) close()
  })
}

export const pass = async (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
