import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { freePort } from '../support/free-port.ts'
import { RedisProcess } from '../support/redis-process.ts'
import { BackendProcess } from '../support/shop-process.ts'
import { FleetGateway } from './fleet-gateway.ts'

export interface FleetSize {
  readonly gateways: number
  /** Of each gateway. */
  readonly workers: number
  readonly shops: number
  readonly hasRedis: boolean
}

/** The field in which a shop gives a session its id, and a client brings it back. */
export const SESSION_FIELD = 'X-Session'
const SECRET = 'a-secret-of-the-drill-0123456789abcdef'
const KEPT = ['--appendonly', 'yes']

/** Gateways with several workers each, the Redis that they share, and shops that remember their sessions in memory. */
export class Fleet {
  readonly shops: readonly BackendProcess[]
  readonly gateways: readonly FleetGateway[]
  /** Of each gateway. */
  readonly workers: number
  readonly #redis: RedisProcess | undefined
  readonly #folder: string
  isStopped = false

  private constructor(
    shops: readonly BackendProcess[],
    gateways: readonly FleetGateway[],
    workers: number,
    redis: RedisProcess | undefined,
    folder: string,
  ) {
    this.shops = shops
    this.gateways = gateways
    this.workers = workers
    this.#redis = redis
    this.#folder = folder
  }

  /** @param deadline of a look-up in Redis */
  static async start(
    { gateways, workers, shops: count, hasRedis }: FleetSize,
    deadline: string,
  ): Promise<Fleet> {
    const shops = Array.from({ length: count }, (_, at) => new BackendProcess(`shop${at + 1}`))
    await Promise.all(shops.map(async shop => shop.listening))
    const redis = hasRedis ? new RedisProcess(await freePort(), { args: KEPT }) : undefined
    await redis?.start()
    const folder = mkdtempSync(join(tmpdir(), 'drill-fleet-'))
    const store = hasRedis ? { store: { redis: { url: 'env:REDIS_URL', deadline } } } : {}
    const ports: number[] = []
    while (ports.length < gateways) ports.push(await freePort())
    const fleet = new Fleet(
      shops,
      ports.map(port => {
        const file = join(folder, `${port}.json`)
        writeFileSync(file, JSON.stringify(configOf(port, workers, shops, store)))
        return new FleetGateway(port, file, redis === undefined ? {} : { REDIS_URL: redis.url })
      }),
      workers,
      redis,
      folder,
    )
    await Promise.all(fleet.gateways.map(async gateway => gateway.start()))
    return fleet
  }

  get redis(): RedisProcess {
    if (this.#redis === undefined) throw new Error('a fleet without Redis')
    return this.#redis
  }

  /** A Redis that was killed comes back. @param isEmpty it has lost all sessions */
  async restartRedis(isEmpty: boolean): Promise<void> {
    if (isEmpty) rmSync(join(this.redis.folder, 'appendonlydir'), { recursive: true, force: true })
    await this.redis.start()
  }

  /** Look-ups that Redis has been asked for since it started. 0 without Redis. */
  async lookups(): Promise<number> {
    if (this.#redis === undefined) return 0
    const client = createClient({ url: this.#redis.url })
    client.on('error', () => {})
    await client.connect()
    const stats = await client.info('commandstats')
    client.destroy()
    return Number(/cmdstat_get:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }

  /** How often the logs of all gateways have the event. */
  count(event: string, state?: string): number {
    return this.gateways.reduce((sum, gateway) => sum + gateway.count(event, state), 0)
  }

  /** The shops that its gateways have found down since then, with the reason of each worker that found it. */
  foundDown(sinceMs: number): readonly string[] {
    const lines = this.gateways.flatMap(({ log }) => log)
    return lines
      .filter(
        ({ event, healthy, time }) => event === 'health_changed' && healthy === false && time >= sinceMs,
      )
      .map(({ backend, reason }) => `${backend}: ${reason}`)
  }

  /** Kills all of it. Idempotent. */
  async stop(): Promise<void> {
    this.isStopped = true
    await Promise.all([
      ...this.gateways.map(async gateway => gateway.kill()),
      ...this.shops.map(async shop => shop.kill()),
      this.#redis?.remove(),
    ])
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function configOf(port: number, workers: number, shops: readonly BackendProcess[], store: object): object {
  return {
    listen: `127.0.0.1:${port}`,
    workers,
    secrets: [SECRET],
    log: { access: false },
    ...store,
    pools: {
      shop: {
        backends: shops.map(shop => shop.options),
        affinity: [{ learn: { header: SESSION_FIELD } }],
        balance: 'random-two',
        // A killed shop refuses connections at once. One that waits for a CPU is not lost.
        health: { path: '/health', interval: '500ms', timeout: '10s', fall: 2, rise: 2 },
      },
    },
  }
}
