import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createClient } from 'redis'

/** The price of a request. */
export interface Cost {
  /** On average. */
  readonly redisCommands: number
  /** Of the Cookie field that the browser sends. */
  readonly cookieBytes: number
  /** CPU time of the shop, on average. Times of the clock would be those of the machine and its other work. */
  readonly shopMs: number
}

export interface Costs {
  readonly read: Cost
  readonly write: Cost
}

export interface CostOptions {
  readonly url: string
  readonly redisUrl: string
  readonly shops: readonly ChildProcess[]
  /** Requests of each kind that are counted. */
  readonly times: number
}

/** One visitor with a cart of three, who reads the cart and then writes an address, `times` times each. */
export async function costsOf({ url, redisUrl, shops, times }: CostOptions): Promise<Costs> {
  const visitor = new Visitor(url)
  await visitor.ask('POST', '/login', { user: 'user-1' })
  for (const name of ['apple', 'pear', 'plum']) await visitor.ask('POST', '/cart/items', { name })
  const redis = createClient({ url: redisUrl })
  await redis.connect()

  async function costOf(request: () => Promise<void>): Promise<Cost> {
    // The first requests wait for compilers.
    for (let warm = 0; warm < times; warm += 1) await request()
    const before = { cpu: await cpuMs(shops), commands: commandsIn(await redis.info('commandstats')) }
    for (let time = 0; time < times; time += 1) await request()
    return {
      redisCommands: (commandsIn(await redis.info('commandstats')) - before.commands) / times,
      shopMs: ((await cpuMs(shops)) - before.cpu) / times,
      cookieBytes: visitor.cookie.length,
    }
  }

  try {
    const read = await costOf(async () => visitor.ask('GET', '/cart'))
    const write = await costOf(async () => visitor.ask('POST', '/order/address', { value: 'Main Street 1' }))
    return { read, write }
  } finally {
    redis.destroy()
  }
}

/** The commands that Redis has run for the shops. */
function commandsIn(stats: string): number {
  const rows = [...stats.matchAll(/^cmdstat_(?:get|set|expire|del):calls=(\d+)/gm)]
  return rows.reduce((sum, [, calls]) => sum + Number(calls), 0)
}

async function cpuMs(shops: readonly ChildProcess[]): Promise<number> {
  const all = await Promise.all(
    shops.map(async shop => {
      shop.send('cpu')
      const [{ cpu }] = (await once(shop, 'message')) as [{ cpu: NodeJS.CpuUsage }]
      return (cpu.user + cpu.system) / 1000
    }),
  )
  return all.reduce((sum, ms) => sum + ms, 0)
}

/** `fetch` with cookies. */
class Visitor {
  readonly #url: string
  readonly #cookies = new Map<string, string>()

  constructor(url: string) {
    this.#url = url
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async ask(method: string, path: string, body?: object): Promise<void> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { Cookie: this.cookie, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
      this.#cookies.set(name, value)
    }
  }
}
