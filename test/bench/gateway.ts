import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Client } from 'undici'

/*
 * CPU time per request of three gateways, same backends, same load, taking turns within one run. CPU time and not
 * requests per second: the machine has two cores, and the load comes from the other one.
 */

const CONNECTIONS = 32
const REQUESTS = 6_000
const ROUNDS = 8

interface Gateway {
  readonly name: string
  readonly child: ChildProcess
  readonly clients: readonly { client: Client; cookie: string }[]
  readonly perRequestUs: number[]
}

/** The headers of an ordinary browser, with five cookies of the application's. */
const HEADERS = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en-US,en;q=0.5',
  'accept-encoding': 'gzip, deflate, br',
  referer: 'http://shop.example.com/',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'same-origin',
}
const COOKIES = 'theme=dark; lang=en; _ga=GA1.2.1234567890.1700000000; session=0123456789abcdef0123456789abcdef; cart=3'

async function start(name: string, args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(new URL(name, import.meta.url), [...args])
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`${name} ended with ${code}`)
  })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  return { child, url }
}

async function startGateway(name: string, backends: readonly string[]): Promise<Gateway> {
  const { child, url } = await start(`./gateways/${name}.ts`, backends)
  const clients = Array.from({ length: CONNECTIONS }, () => ({ client: new Client(url), cookie: COOKIES }))
  for (const one of clients) {
    const { headers, body } = await one.client.request({ method: 'GET', path: '/', headers: { ...HEADERS, cookie: COOKIES } })
    await body.dump()
    const setCookie = [headers['set-cookie'] ?? []].flat()[0]
    if (setCookie !== undefined) one.cookie = `${COOKIES}; ${setCookie.split(';')[0] ?? ''}`
  }
  return { name, child, clients, perRequestUs: [] }
}

async function cpuUs(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage }]
  return cpu.user + cpu.system
}

/** Every client asks one thing after the other; the load is bounded by a count. */
async function load({ clients }: Gateway, requests: number): Promise<void> {
  const each = Math.ceil(requests / clients.length)
  await Promise.all(
    clients.map(async ({ client, cookie }) => {
      for (let count = 0; count < each; count += 1) {
        const { statusCode, body } = await client.request({ method: 'GET', path: '/items?page=2', headers: { ...HEADERS, cookie } })
        if (statusCode !== 200) throw new Error(`status ${statusCode}`)
        await body.dump()
      }
    }),
  )
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

export async function benchGateway(): Promise<void> {
  const backends = await Promise.all([start('./backend.ts', []), start('./backend.ts', []), start('./backend.ts', [])])
  const urls = backends.map(({ url }) => url)
  const gateways: Gateway[] = []
  for (const name of ['limpet', 'bare-reply-from', 'hand-written']) gateways.push(await startGateway(name, urls))
  for (const gateway of gateways) await load(gateway, REQUESTS)
  for (let round = 0; round < ROUNDS; round += 1) {
    // The order turns, so that nobody always follows the same neighbour.
    for (let index = 0; index < gateways.length; index += 1) {
      const gateway = gateways[(index + round) % gateways.length]
      if (gateway === undefined) continue
      const before = await cpuUs(gateway.child)
      await load(gateway, REQUESTS)
      gateway.perRequestUs.push((await cpuUs(gateway.child)) - before)
    }
  }
  const [limpet, bare, hand] = gateways.map(({ perRequestUs }) => median(perRequestUs) / REQUESTS)
  console.log(`CPU per request   limpet ${us(limpet)}   bare reply-from ${us(bare)}   hand-written ${us(hand)}`)
  report('limpet on Fastify / bare reply-from', ratios(gateways[0], gateways[1]), 1)
  report('limpet on Fastify / hand-written undici', ratios(gateways[0], gateways[2]), 1.35)
  for (const { clients } of gateways) await Promise.all(clients.map(async ({ client }) => client.close()))
  for (const { child } of [...gateways, ...backends]) child.disconnect()
}

function us(value: number | undefined): string {
  return `${(value ?? Number.NaN).toFixed(1)} µs`
}

/** Round by round: what disturbs the machine disturbs neighbours alike. */
function ratios(a: Gateway | undefined, b: Gateway | undefined): number[] {
  return (a?.perRequestUs ?? []).map((value, round) => value / (b?.perRequestUs[round] ?? Number.NaN))
}

function report(what: string, values: readonly number[], limit: number): void {
  const middle = median(values)
  const spread = `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`
  console.log(`${middle <= limit ? 'ok  ' : 'OVER'}  ${what}: ${middle.toFixed(3)} (${spread}), at most ${limit.toFixed(2)}`)
}
