import { type Affinity, createAffinity, type NodeRequest, type RequestHead, requestHead } from '@limpet/core'

/*
 * What affinity itself costs: select() and answered(), with no socket in sight. A returning browser brings six
 * cookies, ours among them, signed and with both timeouts; a new one brings five.
 */

const BATCH = 20_000
const BATCHES = 15
const POOL_SIZES = [3, 100, 10_000] as const
/** Browsers that take turns: more than a handful, so that nothing is measured that only one would enjoy. */
const BROWSERS = 200

const OTHER_COOKIES = 'theme=dark; lang=en; _ga=GA1.2.1234567890.1700000000; session=0123456789abcdef0123456789abcdef; cart=3'
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
    backends: Array.from({ length: size }, (_, index) => ({ id: `w${index}`, url: `http://10.0.${index >> 8}.${index & 255}:8080` })),
    secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
    affinity: [{ cookie: { maxIdle: '30m', maxLife: '8h' } }],
  })
}

function browser(cookie: string): RequestHead {
  const headers: Record<string, string> = {
    host: 'shop.example.com',
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'accept-language': 'en-US,en;q=0.5',
    'accept-encoding': 'gzip, deflate, br',
    connection: 'keep-alive',
    cookie,
    'sec-fetch-dest': 'document',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-site': 'same-origin',
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
  const setCookie = lease.answered(ANSWER)['set-cookie']
  lease.release()
  return [setCookie ?? []].flat()
}

function returning(affinity: Affinity): RequestHead[] {
  return Array.from({ length: BROWSERS }, () => {
    const [line = ''] = ask(affinity, browser(OTHER_COOKIES))
    return browser(`${OTHER_COOKIES}; ${line.split(';')[0] ?? ''}`)
  })
}

/** Nanoseconds per call: the median of batches that took turns with the other pool sizes. */
function nanoseconds(cases: readonly { affinity: Affinity; requests: readonly RequestHead[] }[]): number[] {
  const samples = cases.map((): number[] => [])
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (const [index, { affinity, requests }] of cases.entries()) {
      const start = process.hrtime.bigint()
      for (let count = 0; count < BATCH; count += 1) {
        const request = requests[count % requests.length]
        if (request !== undefined) ask(affinity, request)
      }
      samples[index]?.push(Number(process.hrtime.bigint() - start) / BATCH)
    }
  }
  return samples.map((values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN)
}

export function benchCore(): void {
  const affinities = POOL_SIZES.map((size) => pool(size))
  const known = nanoseconds(affinities.map((affinity) => ({ affinity, requests: returning(affinity) })))
  const fresh = nanoseconds(affinities.map((affinity) => ({ affinity, requests: [browser(OTHER_COOKIES)] })))
  for (const [index, size] of POOL_SIZES.entries()) {
    console.log(`${String(size).padStart(6)} backends   returning ${ns(known[index])}   new session ${ns(fresh[index])}`)
  }
  limit('returning browser, 3 backends, µs', (known[0] ?? Number.NaN) / 1000, 1.5)
  limit('returning browser, 10,000 backends / 3', (known[2] ?? Number.NaN) / (known[0] ?? Number.NaN), 1.3)
  limit('new session, 10,000 backends / 3', (fresh[2] ?? Number.NaN) / (fresh[0] ?? Number.NaN), 5)
}

function ns(value: number | undefined): string {
  return `${(value ?? Number.NaN).toFixed(0).padStart(6)} ns`
}

function limit(what: string, value: number, most: number): void {
  console.log(`${value <= most ? 'ok  ' : 'OVER'}  ${what}: ${value.toFixed(2)}, at most ${most.toFixed(2)}`)
}
