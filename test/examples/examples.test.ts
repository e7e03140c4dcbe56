import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { Browser } from '../support/browser.ts'
import { ownShell, realShell } from '../support/curl.ts'
import { startExample } from '../support/example.ts'
import { freePort, takenPort } from '../support/free-port.ts'
import { ask } from '../support/http-client.ts'
import { Operator } from '../support/operator.ts'
import { runExample, runSharedExample } from '../support/running-example.ts'

/** One shop before each framework's gateway. The first is what `npm start` runs. */
const GATEWAYS = ['fastify', 'express', 'koa', 'hono'].map(framework => ({
  framework,
  script: `examples/${framework}-gateway/start.ts`,
}))
/** The parts that all of them have from `demo` are tried on this one alone. */
const FASTIFY = 'examples/fastify-gateway/start.ts'

/** A machine need not have curl; where it has, the lines are run as they stand. */
const SHELLS = [
  ...GATEWAYS.map(gateway => ({ ...gateway, name: 'our own' })),
  ...(hasCurl() ? [{ framework: 'fastify', script: FASTIFY, name: 'sh' }] : []),
]

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.each(SHELLS)(
  'what the example for $framework says to try shows what it says ($name)',
  async ({ script, name }) => {
    const shell = name === 'sh' ? await realShell() : ownShell()
    const { example, lines } = await runExample(script)
    const [apple, pear, stranger, another, drain, stay, newcomer, kill, moved, ...more] = lines
    expect(more).toEqual([])
    async function shown(line = ''): Promise<unknown> {
      return JSON.parse(await shell(line.replace(/^curl /, name === 'sh' ? 'curl -sS ' : 'curl ')))
    }

    expect(await shown(apple)).toEqual({ backend: 'shop1', items: ['apple'] })
    expect(await shown(pear)).toEqual({ backend: 'shop1', items: ['apple', 'pear'] })
    expect(await shown(stranger)).toEqual({ backend: 'shop2', items: [] })
    expect(await shown(another)).toEqual({ backend: 'shop3', items: [] })

    await shell(drain ?? '')
    await example.printed('shop1 drains: its visitors stay, and new ones go elsewhere')
    expect(await shown(stay)).toEqual({ backend: 'shop1', items: ['apple', 'pear'] })
    const newcomers = [await shown(newcomer), await shown(newcomer), await shown(newcomer)]
    for (const shop of newcomers) expect(shop).not.toMatchObject({ backend: 'shop1' })
    await shell(drain ?? '')
    await example.printed('shop1 is ready again')

    await shell(kill ?? '')
    await example.printed('shop1 was killed: its visitors move when they come back')
    const { backend, items } = (await shown(moved)) as { backend: string; items: unknown }
    expect(['shop2', 'shop3']).toContain(backend)
    expect(items).toEqual([])
    await example.printed(`a request moved from shop1 to ${backend}`)
    expect(await shown(moved)).toEqual({ backend, items: [] })
    expect(withoutPoolLog(example.err)).toBe('')
  },
)

describe.each(GATEWAYS)('the example for $framework', ({ script }) => {
  describe('once it runs', () => {
    let port = 0
    beforeAll(async () => {
      const shared = await runSharedExample(script)
      port = shared.port
      return async () => shared.example.kill()
    })

    test('the page shows the shop and its cart, and its form fills it', async () => {
      const browser = new Browser(port, { headers: { Accept: 'text/html,*/*;q=0.8' } })
      const empty = await browser.ask()
      expect(empty.header('content-type')).toBe('text/html; charset=utf-8')
      const [heading = ''] = /<h1>shop\d<\/h1>/.exec(empty.text) ?? []
      expect(heading).not.toBe('')
      expect(empty.text).toContain('is empty')
      const [, action, field] =
        /<form method="post" action="([^"]*)">\s*<input name="([^"]*)"/.exec(empty.text) ?? []
      const path = new URL(action ?? '', 'http://shop/').pathname
      const headers = { Accept: 'text/html', 'Content-Type': 'application/x-www-form-urlencoded' }
      const added = await browser.ask({
        method: 'POST',
        path,
        headers,
        body: `${field}=%3Cb%3Epl%C3%BCm+%26+fig`,
      })
      expect(added.status).toBe(303)
      const page = await browser.ask({
        path: new URL(added.header('location') ?? '', `http://shop${path}`).pathname,
      })
      expect(page.text).toContain(heading)
      expect(page.text).toContain('<li>&lt;b&gt;plüm &amp; fig</li>')
    })

    test('the gateway answers its own route, and the shops all others', async () => {
      const health = await ask(port, { path: '/healthz' })
      expect(health.text).toBe('{"status":"ok"}')
      expect(health.cookies()).toEqual([])
      const shops = await ask(port, { path: '/health' })
      expect(shops.text).toBe('ok\n')
      expect(shops.cookies('SERVERID')).toHaveLength(1)
    })

    test('a shop refuses what is no item', async () => {
      const headers = { 'Content-Type': 'application/json' }
      for (const body of [
        '',
        'null',
        '{',
        '{"name":7}',
        '{"name":" "}',
        `{"name":"${'x'.repeat(61)}"}`,
        `${' '.repeat(1_000)}{"name":"x"}`,
      ]) {
        const answer = await ask(port, { method: 'POST', path: '/cart/items', headers, body })
        expect([body, answer.status]).toEqual([body, 400])
      }
      expect((await ask(port, { path: '/nowhere' })).status).toBe(404)
    })
  })

  test('with LIMPET_SECRET sessions survive a restart', async () => {
    const SHOP_PORTS = [await freePort(), await freePort(), await freePort()].join(',')
    const first = await runExample(script, { LIMPET_SECRET: SECRET, SHOP_PORTS })
    expect(first.backends.map(({ port }) => port).join(',')).toBe(SHOP_PORTS)
    expect(first.example.out).not.toContain('LIMPET_SECRET')
    const browser = new Browser(first.port)
    await browser.ask()
    await browser.ask()
    first.example.pressCtrlC()
    await first.example.ended()

    const second = await runExample(script, { LIMPET_SECRET: SECRET, SHOP_PORTS })
    const cookie = browser.cookieHeader
    const kept = await ask(second.port, { headers: { Cookie: cookie } })
    expect(kept.cookies()).toEqual([])
  })
})

test('without LIMPET_SECRET each start has another secret, and says so', async () => {
  const first = await runExample(FASTIFY)
  const browser = new Browser(first.port)
  await browser.ask()
  const second = await runExample(FASTIFY)
  for (const { example } of [first, second])
    expect(example.out).toContain(
      'LIMPET_SECRET is not set, so the secret is a random one: a restart forgets',
    )
  const stranger = await ask(second.port, { headers: { Cookie: browser.cookieHeader } })
  expect(stranger.cookies('SERVERID')).toHaveLength(1)
})

test('--port is the port of the gateway, and comes before PORT', async () => {
  const free = await freePort()
  const { port } = await runExample(FASTIFY, { PORT: String(await takenPort()) }, ['--port', String(free)])
  expect(port).toBe(free)
})

test('the program of npm start has a stats page, by which an operator drains a shop', async () => {
  const { example, port } = await runExample(FASTIFY)
  expect(example.out).toContain(`  operate  http://127.0.0.1:${port}/limpet\n`)
  await new Browser(port).ask()
  const operator = new Operator(port, '/limpet')
  const page = await operator.get()
  expect(page.text).toContain('id="b-default-shop1"')
  expect(page.cookies()).toEqual([])
  const drained = await operator.change('drain', 'shop1', '10m', 'default')
  expect(drained.header('location')).toBe('?#b-default-shop1')
  expect((await operator.get()).text).toContain('1 session, 0 requests left')
})

describe('what cannot be started', () => {
  test.each([
    { env: {}, command: `node ${FASTIFY}` },
    { env: { npm_lifecycle_event: 'start' }, command: 'npm start' },
  ])('a port that is taken is one clear line: $command', async ({ env, command }) => {
    const port = await takenPort()
    const example = startExample(FASTIFY, { PORT: String(port), ...env })
    expect(await example.ended()).toBe(1)
    const another = `PORT=8081 ${command}`
    expect(example.err).toBe(`Port ${port} is taken. Choose another: ${another}\n`)
    expect(example.out).toBe('')
    expect(example.isAlive).toBe(false)
  })

  test("a shop's port that is taken is another", async () => {
    const port = await takenPort()
    const example = startExample(FASTIFY, { PORT: '0', SHOP_PORTS: `0,${port},0` })
    expect(await example.ended()).toBe(1)
    expect(example.err).toMatch(new RegExp(`^Port ${port} is taken\\. Choose another: SHOP_PORTS=.*\n$`))
    expect(example.isAlive).toBe(false)
  })

  test.each([
    ['a port that is none', { PORT: 'x' }, [], 'PORT got "x"; it takes 0 to 65535, 0 for any free port'],
    [
      'a port that is too high',
      {},
      ['--port', '65536'],
      'PORT got "65536"; it takes 0 to 65535, 0 for any free port',
    ],
    ['two shops', { SHOP_PORTS: '1,2' }, [], 'SHOP_PORTS takes three ports, as SHOP_PORTS=9001,9002,9003'],
    [
      'a port for two',
      { PORT: '9001', SHOP_PORTS: '0,0,9001' },
      [],
      'port 9001 stands twice in PORT and SHOP_PORTS',
    ],
    ['an option that there is not', {}, ['--prot', '1'], "Unknown option '--prot'"],
    [
      'a secret that is none',
      { PORT: '0', LIMPET_SECRET: 'short' },
      [],
      'LIMPET_SECRET has 5 bytes; it takes at least 32 bytes',
    ],
  ])('%s is one clear line', async (_, env, args, message) => {
    const example = startExample(FASTIFY, env, args)
    expect(await example.ended()).toBe(1)
    const [line = '', ...more] = example.err.trimEnd().split('\n')
    expect(line.slice(0, message.length)).toBe(message)
    expect(more).toEqual([])
    expect(example.isAlive).toBe(false)
  })
})

describe('the end of an example', () => {
  test.each([
    ...GATEWAYS.map(gateway => ({ ...gateway, how: 'Ctrl-C' as const })),
    { framework: 'fastify', script: FASTIFY, how: 'SIGTERM' as const },
    { framework: 'fastify', script: FASTIFY, how: 'SIGHUP' as const },
  ])('$how ends all of that for $framework, with exit code 0', async ({ script, how }) => {
    const { example, port } = await runExample(script)
    // A browser that keeps its connection does not hold it up.
    await fetch(`http://127.0.0.1:${port}/`)
    if (how === 'Ctrl-C') example.pressCtrlC()
    else example.send(how)
    expect(await example.ended()).toBe(0)
    expect(example.isAlive).toBe(false)
    expect(withoutPoolLog(example.err)).toBe('')
  })

  test.each(GATEWAYS)('a shop that hangs does not hold up that for $framework', async ({ script }) => {
    const running = await runExample(script)
    const { example } = running
    process.kill(running.backend('shop1').pid, 'SIGSTOP')
    example.pressCtrlC()
    expect(await example.ended()).toBe(0)
    expect(example.isAlive).toBe(false)
  })

  test('when the gateway is killed, the shops end by themselves', async () => {
    const { example, backends } = await runExample(FASTIFY)
    expect(backends).toHaveLength(3)
    example.send('SIGKILL')
    for (const { port } of backends) {
      await expect
        .poll(
          async () =>
            ask(port).then(
              () => 'there',
              () => 'gone',
            ),
          { timeout: 5_000 },
        )
        .toBe('gone')
    }
  })
})

/** Express and Koa report a change of a backend on the console; every other line would be an error. */
function withoutPoolLog(text: string): string {
  return text.replaceAll(/^limpet: pool default: .*\n/gm, '')
}
