import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { createAffinity, MemoryStore, type OpenStore } from '@limpet/core'
import { type RedisStore, redisStore } from '@limpet/redis'
import { REDIS_COMMAND, RedisProcess } from '../support/redis-process.ts'
import { distribution, type Measured, median, medianOf } from './measured.ts'

/*
 * Learned sessions in Redis: a session that this process knows, beside the memory store, and look-ups of sessions that
 * another gateway has learned, on a real Redis over loopback.
 */

const KNOWN = 1_000
const BATCHES = 31
const PER_BATCH = 100_000
const TTL_MS = 3_600_000
const MISSES_PER_SECOND = 5_000
const SECONDS = 9

export async function benchRedis(): Promise<Measured[]> {
  if (REDIS_COMMAND === undefined) throw new Error('needs redis-server or valkey-server on the PATH')
  const redis = new RedisProcess(await freePort())
  await redis.start()
  // Late replies are to be measured, and not given up.
  const stores = [1, 2].map(() =>
    redisStore({ url: redis.url, deadline: '1s', maxEntries: 200_000, maxPending: 1_000_000 }),
  )
  try {
    const [here, there] = await Promise.all(stores.map(async store => connected(store)))
    if (here === undefined || there === undefined) return []
    return [...known(here), ...(await misses(redis, here, there))]
  } finally {
    await Promise.all(stores.map(async store => store.close()))
    await redis.remove()
  }
}

async function connected(store: RedisStore): Promise<OpenStore> {
  let table: OpenStore | undefined
  createAffinity({
    secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
    backends: ['w0', 'w1', 'w2'].map((id, at) => ({ id, url: `http://10.0.0.${at}:8080` })),
    affinity: [{ learn: { cookie: 'sid', store: { open: context => (table = store.open(context)) } } }],
  })
  if (table === undefined) throw new Error('it was not opened')
  while (!(table.get('connected') instanceof Promise)) await setTimeout(10)
  return table
}

function sessionId(number: number): string {
  // New bytes each time, as a Cookie header has.
  return Buffer.from(`s%3A${(number * 2_654_435_761).toString(36).padStart(20, 'x')}.${number}`).toString(
    'latin1',
  )
}

function known(table: OpenStore): Measured[] {
  const memory = new MemoryStore()
  const stores = [table, memory]
  for (const store of stores) {
    for (let number = 0; number < KNOWN; number += 1) store.set(sessionId(number), 'w1', TTL_MS)
  }
  const ids = Array.from({ length: KNOWN }, (_, number) => sessionId(number))
  const measures: Readonly<Record<string, (store: OpenStore, id: string) => unknown>> = {
    'look-up': (store, id) => store.get(id),
    renewal: (store, id) => store.set(id, 'w1', TTL_MS),
  }
  return Object.entries(measures).map(([what, call]) => {
    const differences: number[] = []
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const [remote = 0, local = 0] = stores.map(store =>
        nsPerCall(() => {
          for (let count = 0; count < PER_BATCH; count += KNOWN) for (const id of ids) call(store, id)
        }),
      )
      differences.push(remote - local)
    }
    return {
      what: `redis store, ${what} of a known session, more than in memory`,
      value: median(differences),
      most: 300,
      unit: 'ns',
    }
  })
}

function nsPerCall(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / PER_BATCH
}

/**
 * Sessions that one gateway has learned are looked up by another, one by one at a given rate, in turn with the same two
 * commands of the bare client: how long a look-up waits is for the most part a matter of the client and the machine.
 */
async function misses(redis: RedisProcess, here: OpenStore, there: OpenStore): Promise<Measured[]> {
  const all = MISSES_PER_SECOND * SECONDS
  for (let number = 0; number < all; number += 1) here.set(`m${sessionId(number)}`, 'w2', TTL_MS)
  // The last is written last.
  while ((await there.get(`m${sessionId(all - 1)}`)) !== 'w2') await setTimeout(20)
  const client = createClient({ url: redis.url, RESP: 3 })
  await client.connect()
  const [ours, bare]: [number[][], number[][]] = [[], []]
  let unanswered = 0
  for (let second = 0; second < SECONDS; second += 1) {
    bare.push(await waits(async () => Promise.all([client.get('m'), client.pTTL('m')])))
    ours.push(
      await waits(async number => {
        const found = await there.get(`m${sessionId(second * MISSES_PER_SECOND + number)}`)
        if (found === undefined) unanswered += 1
      }),
    )
  }
  client.destroy()
  console.log(`${unanswered} look-ups were not answered in time`)
  for (const [name, waited] of Object.entries({ 'a miss': ours, 'the bare client': bare }))
    console.log(`${name} waited: ${distribution(waited.flat().toSorted((a, b) => a - b))} ms`)
  const p99s = ours.map(p99)
  return [
    {
      ...medianOf('', p99s, 1, 'ms'),
      what: `redis store, look-up at ${MISSES_PER_SECOND} misses a second, p99 of the best second`,
      // A disturbance of the machine makes a second slower, never faster.
      value: Math.min(...p99s),
    },
    {
      what: 'redis store, p99 of a look-up / of the bare client',
      value: median(p99s) / median(bare.map(p99)),
      most: 3,
    },
    ...(await carried(redis, here, there)),
  ]
}

/** How long each of a second's calls takes, in milliseconds. */
async function waits(call: (number: number) => Promise<unknown>): Promise<number[]> {
  const waitedMs: number[] = []
  const startMs = performance.now()
  const called: Promise<void>[] = []
  const timed = async (number: number): Promise<void> => {
    const beganMs = performance.now()
    await call(number)
    waitedMs.push(performance.now() - beganMs)
  }
  while (called.length < MISSES_PER_SECOND) {
    const due = ((performance.now() - startMs) * MISSES_PER_SECOND) / 1_000
    while (called.length < Math.min(MISSES_PER_SECOND, due)) called.push(timed(called.length))
    // A timer would make them come in bursts.
    await setImmediate()
  }
  await Promise.all(called)
  return waitedMs
}

function p99(waitedMs: readonly number[]): number {
  return waitedMs.toSorted((a, b) => a - b)[Math.floor(waitedMs.length * 0.99)] ?? Number.NaN
}

const CARRIED = 50_000
const CHUNK = 500
/** Look-ups that share a packet: a gateway has few at one moment. */
const AT_ONCE = 4
/** Twice as much would be a defect. */
const MAX_REDIS_BYTES = 250
const MAX_REDIS_US = 60
const MAX_LOOKUP_US = 70

/**
 * The cost of a session in Redis: memory, and processor time of its write and of its look-up. A server process that is
 * disturbed by others takes no more of it.
 */
async function carried(redis: RedisProcess, here: OpenStore, there: OpenStore): Promise<Measured[]> {
  const admin = createClient({ url: redis.url })
  await admin.connect()
  try {
    const start = await usageOf(admin)
    for (let from = 0; from < CARRIED; from += CHUNK) {
      for (let number = from; number < from + CHUNK; number += 1)
        here.set(`c${sessionId(number)}`, 'w1', TTL_MS)
      const last = `c${sessionId(from + CHUNK - 1)}`
      while ((await there.get(last)) !== 'w1') await setTimeout(1)
    }
    const written = await usageOf(admin)
    const cpu = process.cpuUsage()
    for (let from = 0; from < CARRIED; from += AT_ONCE) {
      const ids = Array.from({ length: AT_ONCE }, (_, at) => `c${sessionId(from + at)}`)
      await Promise.all(ids.map(async id => there.get(id)))
    }
    const { user, system } = process.cpuUsage(cpu)
    const read = await usageOf(admin)
    return [
      {
        what: 'Redis, memory of a session',
        value: (written.bytes - start.bytes) / CARRIED,
        most: MAX_REDIS_BYTES,
      },
      {
        what: 'Redis, processor time of a write, told to two gateways',
        value: (written.cpuUs - start.cpuUs) / CARRIED,
        most: MAX_REDIS_US,
        unit: 'µs',
      },
      {
        what: 'Redis, processor time of a look-up',
        value: (read.cpuUs - written.cpuUs) / CARRIED,
        most: MAX_REDIS_US,
        unit: 'µs',
      },
      {
        what: "a gateway's process, processor time of a look-up",
        value: (user + system) / CARRIED,
        most: MAX_LOOKUP_US,
        unit: 'µs',
      },
    ]
  } finally {
    admin.destroy()
  }
}

/** Memory and processor time of a server so far. */
async function usageOf(admin: {
  info(section: string): Promise<string>
}): Promise<{ bytes: number; cpuUs: number }> {
  const text = `${await admin.info('memory')}${await admin.info('cpu')}`
  const figure = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1])
  return {
    bytes: figure('used_memory'),
    cpuUs: (figure('used_cpu_user') + figure('used_cpu_sys')) * 1e6,
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
