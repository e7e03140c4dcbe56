import { setTimeout as delay } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import {
  type Affinity,
  AFFINITY_OPTION_KEYS,
  type AffinityOptions,
  createAffinity,
  type Pool,
} from '@limpet/core'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import type { AdapterName, PoolConfig } from './config.ts'
import { type PoolApp, startPoolApp } from './pool-app.ts'

/** Wraps an affinity, for whoever wants to see what it does. */
export type Observe = (affinity: Affinity) => Affinity

const AFFINITY_KEYS: ReadonlySet<string> = new Set(AFFINITY_OPTION_KEYS)
const LOOK_MS = 100

/** A pool that is being served. */
export class ServedPool {
  readonly name: string
  readonly pool: Pool
  readonly app: PoolApp
  readonly editRequest: ((request: IncomingMessage) => void) | undefined
  #config: PoolConfig

  private constructor(config: PoolConfig, pool: Pool, app: PoolApp) {
    this.name = config.name
    this.pool = pool
    this.app = app
    this.editRequest = config.editRequest
    this.#config = config
  }

  /** @param before the pool of this name that it takes over from: what is known of a backend's health stays known */
  static async start(
    adapter: AdapterName,
    config: PoolConfig,
    observe: Observe,
    before?: ServedPool,
  ): Promise<ServedPool> {
    const entries = Object.entries(config.options)
    const ofAffinity = Object.fromEntries(entries.filter(([key]) => AFFINITY_KEYS.has(key)))
    const ofTransport = Object.fromEntries(entries.filter(([key]) => !AFFINITY_KEYS.has(key)))
    const affinity = createAffinity({ backends: [], ...ofAffinity })
    if (before !== undefined) inherit(affinity.pool, before.pool)
    const app = await startPoolApp(adapter, {
      ...(ofTransport as object as HttpProxyOptions),
      use: observe(affinity),
    })
    return new ServedPool(config, affinity.pool, app)
  }

  /** Whether `config` is another in its backends at most, which can be changed while it is served. */
  canBecome({ signature }: PoolConfig): boolean {
    return signature === this.#config.signature
  }

  /**
   * Only what the file has changed is changed: what an operator has commanded meanwhile stays, and so do discovered
   * backends. True when there was something to change.
   */
  become(config: PoolConfig): boolean {
    const before = new Map(backendsOf(this.#config).map(backend => [backend.id, backend]))
    const after = new Map(backendsOf(config).map(backend => [backend.id, backend]))
    this.#config = config
    if (JSON.stringify([...before]) === JSON.stringify([...after])) return false
    for (const [id, { url }] of before) {
      const kept = after.get(id)
      if (kept === undefined || String(kept.url) !== String(url)) this.pool.remove(id)
    }
    for (const backend of after.values()) {
      const { id, weight = 1, state = 'ready', backup = false, maxInFlight } = backend
      const was = before.get(id)
      if (this.pool.find(id) === undefined) {
        this.pool.add(backend)
        continue
      }
      if (was === undefined || (was.weight ?? 1) !== weight) this.pool.setWeight(id, weight)
      if (was === undefined || (was.state ?? 'ready') !== state) this.pool.setState(id, state)
      if (was === undefined || (was.backup ?? false) !== backup) this.pool.setBackup(id, backup)
      if (was === undefined || was.maxInFlight !== maxInFlight) this.pool.setMaxInFlight(id, maxInFlight)
    }
    return true
  }

  /** Ends when all that is in flight has ended; tunnels are called back after `graceMs`. */
  async retire(graceMs: number): Promise<void> {
    const endMs = performance.now() + graceMs
    let isRecalled = false
    while (this.pool.inFlight > 0) {
      if (!isRecalled && performance.now() >= endMs) {
        isRecalled = true
        this.pool.recall()
      }
      await delay(LOOK_MS, undefined, { ref: false })
    }
    await this.app.close()
  }
}

function backendsOf({ options }: PoolConfig): NonNullable<AffinityOptions['backends']> {
  return ('backends' in options ? options.backends : undefined) ?? []
}

function inherit(pool: Pool, before: Pool): void {
  for (const { backend } of pool.backends) {
    const known = before.find(backend.id)
    if (known?.backend.url.href === backend.url.href && !known.healthy)
      pool.setHealthy(backend.id, false, 'as it was before the reload')
  }
}
