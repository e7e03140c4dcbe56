import { type Affinity, createAffinity, type Lease, type RequestHead, requestHead } from '@limpet/core'
import HashRing from 'hashring'
import { type Measured, median, medianOf } from './measured.ts'

/*
 * The cost of the hash balancer, by the size of the pool: select() and release(), without a policy. Beside it
 * `hashring`, the ketama ring that most programs for Node use, for the lookup alone and without its cache.
 */

const SIZES = [10, 100, 1_000, 10_000] as const
const SESSIONS = 20_000
const BATCHES = 11
/** So many sessions come first after a change; in the largest pool each of them reads all of it. */
const FIRST = 1_000
/** log 10,000 / log 10: where sessions are known, the cost must not grow faster than that. */
const LOGARITHM = 4

const ids = Array.from({ length: SESSIONS }, (_, index) => `session-${index}`)
const requests = ids.map(id => {
  const headers = { host: 'shop.example.com', 'x-session': id }
  const rawHeaders = Object.entries(headers).flat()
  return requestHead({ method: 'GET', url: '/items', httpVersion: '1.1', headers, rawHeaders, socket: {} })
})
const some = requests.slice(0, FIRST)

function pool(size: number, boundedLoad = 0): Affinity {
  return createAffinity({
    backends: Array.from({ length: size }, (_, index) => ({ id: `w${index}`, url: 'http://127.0.0.1:8080' })),
    affinity: [],
    balance: { hash: 'header:x-session', boundedLoad },
  })
}

function ask(affinity: Affinity, request: RequestHead): Lease {
  const lease = affinity.select(request)
  if (lease instanceof Promise) throw new TypeError('no policy here asks a remote store')
  return lease
}

/** Microseconds of CPU time that one of `count` costs. */
function cost(count: number, run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

function samples(count: number, run: () => void): number[] {
  // The first is for the compiler, and for new sessions.
  return Array.from({ length: BATCHES + 1 }, () => cost(count, run)).slice(1)
}

interface Costs {
  /** Sessions that are known. */
  readonly known: readonly number[]
  /** Sessions of which none is known, because the pool has changed; the making of the table is in it. */
  readonly first: readonly number[]
  /** Sessions whose own backend is full. */
  readonly full: readonly number[]
  readonly ring: readonly number[]
}

function costsOf(size: number): Costs {
  const affinity = pool(size)
  const known = samples(SESSIONS, () => {
    for (const request of requests) ask(affinity, request).release()
  })
  let weight = 1
  const first = samples(FIRST, () => {
    weight = 3 - weight
    affinity.pool.setWeight('w0', weight)
    for (const request of some) ask(affinity, request).release()
  })
  const bounded = pool(size, 1.25)
  const hot = requests[0]
  const full = samples(FIRST, () => {
    const leases = some.map(request => ask(bounded, hot ?? request))
    for (const lease of leases) lease.release()
  })
  const servers = Array.from({ length: size }, (_, index) => `w${index}`)
  const ring = new HashRing(servers, 'md5', { 'max cache size': 1 })
  const looked = samples(SESSIONS, () => {
    for (const id of ids) ring.get(id)
  })
  return { known, first, full, ring: looked }
}

export function benchHash(): Measured[] {
  const all = SIZES.map(size => {
    const costs = costsOf(size)
    const [known, first, full, ring] = [costs.known, costs.first, costs.full, costs.ring].map(values =>
      median(values).toFixed(2),
    )
    console.log(
      `hash, ${size} backends  known ${known} µs  after a change ${first} µs  own backend full ${full} µs  hashring ${ring} µs`,
    )
    return costs
  })
  const [smallest, largest] = [all[0], all.at(-1)]
  const growth = (largest?.known ?? []).map((value, batch) => value / (smallest?.known[batch] ?? Number.NaN))
  return [
    medianOf('hash, known sessions, 10,000 backends / 10', growth, LOGARITHM),
    medianOf('hash, 10,000 backends, after a change', largest?.first ?? [], 500, 'µs'),
    medianOf('hash, 10,000 backends, own backend full', largest?.full ?? [], 500, 'µs'),
  ]
}
