import { type Affinity, createAffinity, type NodeRequest, type RequestHead, requestHead } from '@limpet/core'
import { COOKIES, cookiesWith, HEADERS } from './browser.ts'
import { type Measured, medianOf, median } from './measured.ts'

/*
 * The cost of affinity alone: select() and responded(), without a socket. A returning browser sends six
 * cookies, ours among them, signed and with both timeouts; a new one sends five.
 */

const BATCH = 20_000
const BATCHES = 15
const POOL_SIZES = [3, 100, 10_000] as const
/** Browsers that take turns: more than a handful, so that nothing is measured that only one would enjoy. */
const BROWSERS = 200

const ANSWER = {
  statusCode: 200,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'content-length': '1180',
    'cache-control': 'no-store',
    etag: '"1f-abc"',
    vary: 'accept-encoding',
    date: 'Fri, 20 Nov 2026 12:00:00 GMT',
    connection: 'keep-alive',
    'keep-alive': 'timeout=5',
  },
}

function pool(size: number): Affinity {
  return createAffinity({
    backends: Array.from({ length: size }, (_, index) => ({
      id: `w${index}`,
      url: `http://10.0.${index >> 8}.${index & 255}:8080`,
    })),
    secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
    affinity: [{ cookie: { maxIdle: '30m', maxLife: '8h' } }],
  })
}

function browser(cookie: string): RequestHead {
  const headers: Record<string, string> = {
    host: 'shop.example.com',
    connection: 'keep-alive',
    ...HEADERS,
    cookie,
  }
  const message: NodeRequest = {
    method: 'GET',
    url: '/items?page=2',
    httpVersion: '1.1',
    headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: { remoteAddress: '127.0.0.1', localPort: 8080 },
  }
  return requestHead(message)
}

/** One request, from its choice until it is let go, without what the adapter does between. */
function ask(affinity: Affinity, request: RequestHead): string[] {
  const lease = affinity.select(request)
  if (lease instanceof Promise) throw new TypeError('no policy here asks a remote store')
  const setCookie = lease.responded(ANSWER)['set-cookie']
  lease.release()
  return [setCookie ?? []].flat()
}

function returning(affinity: Affinity): RequestHead[] {
  return Array.from({ length: BROWSERS }, () => {
    return browser(cookiesWith(ask(affinity, browser(COOKIES))))
  })
}

interface Case {
  readonly affinity: Affinity
  readonly requests: readonly RequestHead[]
}

/** Microseconds of CPU time per call, batch by batch; the cases take turns. */
function costs(cases: readonly Case[]): number[][] {
  const samples = cases.map((): number[] => [])
  for (let batch = 0; batch <= BATCHES; batch += 1) {
    for (const [index, { affinity, requests }] of cases.entries()) {
      const before = process.cpuUsage()
      for (let count = 0; count < BATCH; count += 1) {
        const request = requests[count % requests.length]
        if (request !== undefined) ask(affinity, request)
      }
      const { user, system } = process.cpuUsage(before)
      // The first is for the compiler.
      if (batch > 0) samples[index]?.push((user + system) / BATCH)
    }
  }
  return samples
}

/** Microseconds of CPU time to find that nothing was edited in a browser's header, as Node has parsed it. */
function detection(): number[] {
  const lines = Object.entries({
    host: 'shop.example.com',
    connection: 'keep-alive',
    ...HEADERS,
    cookie: COOKIES,
  })
  const messages = Array.from({ length: BROWSERS }, (): NodeRequest => {
    // Each request has texts of its own: the same ones would be compared at a glance.
    const own = lines.map(([name, value]) => [copyOf(capitals(name)), copyOf(value)] as const)
    const headers = Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), value]))
    return { method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: own.flat(), headers, socket: {} }
  })
  const samples: number[] = []
  for (let batch = 0; batch <= BATCHES; batch += 1) {
    const before = process.cpuUsage()
    for (let count = 0; count < BATCH; count += 1) {
      const message = messages[count % messages.length]
      if (message !== undefined && requestHead(message).edits !== undefined)
        throw new TypeError('nothing was edited')
    }
    const { user, system } = process.cpuUsage(before)
    if (batch > 0) samples.push((user + system) / BATCH)
  }
  return samples
}

function copyOf(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function capitals(name: string): string {
  return name.replaceAll(/\b[a-z]/g, letter => letter.toUpperCase())
}

/** The cost of the figures of one request: microseconds of CPU time, and bytes. */
async function counting(): Promise<{ readonly times: readonly number[]; readonly bytes: readonly number[] }> {
  const { BackendCounts, PoolCounts } = await counters()
  const backends = Array.from({ length: 3 }, () => new BackendCounts(0))
  const counted = new PoolCounts(0)
  const times: number[] = []
  const bytes: number[] = []
  for (let batch = 0; batch <= BATCHES; batch += 1) {
    globalThis.gc?.()
    const heap = process.memoryUsage().heapUsed
    const before = process.cpuUsage()
    for (let count = 0; count < BATCH; count += 1) {
      // As the lease does: on arrival, at the head of the response, and at the end.
      const arrived = ticks()
      backends[count % 3]?.responded(200, (ticks() - arrived) >>> 0)
      counted.affinity.matched += 1
      counted.durations.record((ticks() - arrived) >>> 0)
    }
    const { user, system } = process.cpuUsage(before)
    const grown = process.memoryUsage().heapUsed - heap
    if (batch > 0) {
      times.push((user + system) / BATCH)
      bytes.push(Math.max(0, grown) / BATCH)
    }
  }
  return { times, bytes }
}

function ticks(): number {
  return (performance.now() * 100) | 0
}

interface Counters {
  readonly BackendCounts: new (nowMs: number) => { responded(statusCode: number, ticks: number): void }
  readonly PoolCounts: new (nowMs: number) => {
    readonly affinity: { matched: number }
    readonly durations: { record(ticks: number): void }
  }
}

/** The counters of the built package, which publishes only what they have counted. */
async function counters(): Promise<Counters> {
  const at = (file: string): string => new URL(`counts/${file}.js`, import.meta.resolve('@limpet/core')).href
  return {
    ...((await import(at('backend-counts'))) as Pick<Counters, 'BackendCounts'>),
    ...((await import(at('pool-counts'))) as Pick<Counters, 'PoolCounts'>),
  }
}

/** Microseconds of CPU time that the async context of a request costs, with no tracing and no storage in use. */
async function asyncContext(): Promise<number[]> {
  const { HandlerInContext } = await handlers()
  let called = 0
  const count = (): void => void (called += 1)
  const plain: Events = {
    onRequestStart: count,
    onResponseStart: count,
    onResponseData: count,
    onResponseEnd: count,
  }
  const samples: number[] = []
  for (let batch = 0; batch <= BATCHES; batch += 1) {
    const direct = timeOf(() => tell(plain))
    const inContext = timeOf(() => tell(new HandlerInContext(plain)))
    if (batch > 0) samples.push(Math.max(0, inContext - direct))
  }
  if (called === 0) throw new TypeError('no event was told')
  return samples
}

function timeOf(work: () => void): number {
  const before = process.cpuUsage()
  for (let count = 0; count < BATCH; count += 1) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / BATCH
}

/** The events of a short response, as undici tells them. */
function tell(handler: Events): void {
  handler.onRequestStart(ANSWER, ANSWER)
  handler.onResponseStart(ANSWER, 200, ANSWER.headers, 'OK')
  handler.onResponseData(ANSWER, ANSWER)
  handler.onResponseEnd(ANSWER, ANSWER.headers)
}

type Events = Readonly<
  Record<
    'onRequestStart' | 'onResponseStart' | 'onResponseData' | 'onResponseEnd',
    (...args: unknown[]) => void
  >
>

/** Of the built package, which does not publish it. */
async function handlers(): Promise<{ readonly HandlerInContext: new (handler: Events) => Events }> {
  const file = new URL('handler-in-context.js', import.meta.resolve('@limpet/fastify')).href
  return (await import(file)) as Awaited<ReturnType<typeof handlers>>
}

export async function benchCore(): Promise<Measured[]> {
  const counted = await counting()
  const unedited = detection()
  console.log(`requestHead() of a header that was not edited  ${median(unedited).toFixed(2)} µs`)
  const affinities = POOL_SIZES.map(size => pool(size))
  const known = costs(affinities.map(affinity => ({ affinity, requests: returning(affinity) })))
  const fresh = costs(affinities.map(affinity => ({ affinity, requests: [browser(COOKIES)] })))
  for (const [index, size] of POOL_SIZES.entries()) {
    const [returned, created] = [known[index] ?? [], fresh[index] ?? []].map(values =>
      median(values).toFixed(2),
    )
    console.log(
      `select() and answered(), ${size} backends  returning ${returned} µs  new session ${created} µs`,
    )
  }
  return [
    medianOf('header that was not edited', unedited, 1, 'µs'),
    // 2 % of a request that costs 50 µs; no gateway here forwards one for less.
    medianOf('async context of a request', await asyncContext(), 1, 'µs'),
    medianOf('figures of a request', counted.times, 1, 'µs'),
    medianOf('figures of a request, heap', counted.bytes, 1, 'B'),
    medianOf('returning browser', known[0] ?? [], 1.5, 'µs'),
    medianOf('returning browser, 10,000 backends / 3', ratios(known), 1.3),
    medianOf('new session, 10,000 backends / 3', ratios(fresh), 5),
  ]
}

/** The largest pool's cost as a multiple of the smallest's, batch by batch. */
function ratios(samples: readonly (readonly number[])[]): number[] {
  const smallest = samples[0] ?? []
  return (samples.at(-1) ?? []).map((value, batch) => value / (smallest[batch] ?? Number.NaN))
}
