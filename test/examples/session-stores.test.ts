import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { startExample } from '../support/example.ts'
import { runLine } from '../support/example-shell.ts'
import type { BackendResponse } from '../support/http-client.ts'
import { hasNoRedis, startRedis } from '../support/redis-server.ts'
import { type RunningExample, runExample } from '../support/running-example.ts'

/** `examples/session-stores`: one shop with four ways to keep its sessions. */

const SCRIPT = 'examples/session-stores/start.ts'
const README = fileURLToPath(new URL('../../examples/session-stores/README.md', import.meta.url))

class Shopper extends Browser {
  async post(path: string, body: object): Promise<BackendResponse> {
    const headers = { 'Content-Type': 'application/json' }
    return this.ask({ method: 'POST', path, headers, body: JSON.stringify(body) })
  }
}

async function shops(way: string, env: NodeJS.ProcessEnv = {}): Promise<RunningExample> {
  return runExample(SCRIPT, { SESSIONS: way, ...env })
}

/** A visitor with a login, a cart and the first step of an order, and the shop that answered last. */
async function shopping({ port }: RunningExample): Promise<{ shopper: Shopper; home: string }> {
  const shopper = new Shopper(port)
  expect((await shopper.post('/login', { user: 'alice' })).status).toBe(200)
  expect((await shopper.post('/cart/items', { name: 'apple' })).status).toBe(201)
  const { text } = await shopper.post('/order/address', { value: 'Main Street 1' })
  return { shopper, home: (JSON.parse(text) as { backend: string }).backend }
}

describe.skipIf(hasNoRedis)('with Redis', () => {
  test('the hybrid keeps a login, a cart and an order when the shop of the visitor is killed', async () => {
    const running = await shops('hybrid')
    const { shopper, home } = await shopping(running)
    for (const path of ['/me', '/cart']) {
      const { text } = await shopper.ask({ path })
      expect(JSON.parse(text)).toMatchObject({ backend: home })
    }
    process.kill(running.backend(home).pid, 'SIGKILL')
    await running.example.printed(`${home} was killed`)
    expect((await shopper.post('/order/payment', { value: 'card' })).status).toBe(200)
    const confirmed = await shopper.post('/order/confirm', {})
    expect(JSON.parse(confirmed.text)).toMatchObject({
      user: 'alice',
      order: { address: 'Main Street 1', payment: 'card' },
    })
    const cart = JSON.parse((await shopper.ask({ path: '/cart' })).text) as { backend: string }
    expect(cart).toMatchObject({ items: ['apple'] })
    expect(cart.backend).not.toBe(home)
  })

  test('a copy in memory is dropped when another shop writes the session', async () => {
    const { backends } = await shops('hybrid')
    const [here, there] = backends.slice(0, 2).map(({ port }) => new Shopper(port))
    await here?.post('/cart/items', { name: 'apple' })
    for (const [name, value] of here?.cookies ?? []) there?.cookies.set(name, value)
    const cartOf = async (shopper: Shopper | undefined): Promise<unknown> =>
      (JSON.parse((await shopper?.ask({ path: '/cart' }))?.text ?? '') as { items: unknown }).items
    for (const shopper of [here, there]) expect(await cartOf(shopper)).toEqual(['apple'])
    await there?.post('/cart/items', { name: 'pear' })
    await expect.poll(async () => cartOf(here)).toEqual(['apple', 'pear'])
  })

  test.each(['redis', 'hybrid'])(
    'while Redis is down a visitor of %s gets 503, and is not logged out',
    async way => {
      const redis = await startRedis()
      const { shopper } = await shopping(await shops(way, { REDIS_URL: redis.url }))
      await redis.kill()
      expect((await shopper.post('/cart/items', { name: 'pear' })).status).toBe(503)
      expect((await shopper.ask({ path: '/me' })).status).toBe(503)
    },
  )

  test('the comparison shows that memory alone loses, and what each way asks of Redis', async () => {
    const line = 'node examples/session-stores/compare.ts --sessions 9 --rate 200 --settle 500ms --times 30'
    const tables = (await runLine(line)).trimEnd().split('\n\n').map(rowsOf)
    const written = readFileSync(README, 'utf8')
      .split('\n\n')
      .filter(part => part.startsWith('| sessions | users') || part.startsWith('| sessions | Redis'))
    expect(tables.map(([head]) => head)).toEqual(written.map(part => rowsOf(part)[0]))
    const [kills = [], costs = []] = tables.map(rows => rows.slice(2))
    const ways = ['memory', 'redis', 'jwt', 'hybrid']
    for (const rows of [kills, costs]) expect(rows.map(([way]) => way)).toEqual(ways)
    // Users with loss, lost writes, users that were logged out.
    const losses = kills.map(cells => cells.slice(3, 6).map(Number))
    for (const figure of losses[0] ?? []) expect(figure).toBeGreaterThan(0)
    expect(losses.slice(1)).toEqual([1, 2, 3].map(() => [0, 0, 0]))
    expect(costs.map(cells => cells.slice(1, 3))).toEqual([
      ['0.0', '0.0'],
      ['2.0', '3.0'],
      ['0.0', '0.0'],
      ['0.0', '2.0'],
    ])
  })
})

test('a token keeps a visit at any shop, refuses forged ones, and has room for so much', async () => {
  const running = await shops('jwt')
  const { shopper } = await shopping(running)
  expect(shopper.cookies.has('SERVERID')).toBe(false)
  expect((await shopper.post('/order/confirm', {})).status).toBe(409)
  expect((await shopper.post('/order/payment', { value: 'card' })).status).toBe(200)
  expect((await shopper.post('/order/confirm', {})).status).toBe(201)
  const statuses: number[] = []
  while (!statuses.includes(413))
    statuses.push((await shopper.post('/cart/items', { name: 'x'.repeat(60) })).status)
  expect(statuses.length).toBeGreaterThan(10)
  // The cart that fits is still there.
  const { items } = JSON.parse((await shopper.ask({ path: '/cart' })).text) as { items: unknown[] }
  expect(items).toHaveLength(statuses.length)

  const token = shopper.cookies.get('token') ?? ''
  shopper.cookies.set('token', token.replace(/\.[^.]*$/, '.forged'))
  expect((await shopper.ask({ path: '/me' })).status).toBe(401)
  for (const body of ['', '{', '{"user":7}', JSON.stringify({ user: 'x'.repeat(61) })]) {
    const headers = { 'Content-Type': 'application/json' }
    expect((await shopper.ask({ method: 'POST', path: '/login', headers, body })).status).toBe(400)
  }
})

test.each([
  [
    'a way that there is not',
    { SESSIONS: 'files' },
    'SESSIONS got "files"; it takes memory, redis, jwt, hybrid',
  ],
  ['no Redis', { SESSIONS: 'redis', PATH: '/nowhere' }, 'no redis-server or valkey-server is on the PATH.'],
])('%s is one clear line', async (_, env, message) => {
  const example = startExample(SCRIPT, { PORT: '0', ...env })
  expect(await example.ended()).toBe(1)
  expect(example.err.split('\n')).toHaveLength(2)
  expect(example.err).toContain(message)
})

function rowsOf(table: string): readonly (readonly string[])[] {
  return table.split('\n').map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}
