import { readdirSync, readFileSync } from 'node:fs'
import { programPath } from '../drill/peer.ts'
import { type LoadName, LOADS } from './browser.ts'
import { Browsers } from './browsers.ts'
import { Child } from './child.ts'
import { type Measured, median } from './measured.ts'
import { CBackends } from './peers/c-backends.ts'
import { type PeerName, PEERS, startPeerGateway } from './peers/peer-gateway.ts'

/*
 * CPU time per sticky request of limpet, of a hand-written proxy, and of the load balancers that are installed: one
 * thread each, the same backends, the same load, taking turns within one run.
 */

const CONNECTIONS = 32
const REQUESTS = 3_200
const ROUNDS = 6
/** V8 needs some ten thousand requests until all of a path is optimized. */
const WARM_UPS = 12
/** Two starts of one program differ by a tenth and more, in what V8 makes of it: each cost is the median of so many. */
const STARTS = 3
const OURS = ['hand-written', 'limpet-command', 'limpet-fastify'] as const

/** The most that the command may cost, as a multiple of Caddy. */
const OVER_CADDY = 1.5

interface Contestant {
  readonly name: string
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

type Costs = Readonly<Record<LoadName, number>>

export async function benchPeers(): Promise<Measured[]> {
  const installed = PEERS.filter(name => programPath(name) !== undefined)
  for (const name of PEERS)
    if (!installed.includes(name)) console.log(`${name} is not installed, so it is not compared`)
  const backends = await CBackends.start()
  const starts: ReadonlyMap<string, Costs>[] = []
  for (let start = 0; start < STARTS; start += 1) starts.push(await costsOfOneStart(installed, backends.urls))
  await backends.stop()
  const rows = new Map<string, Costs>()
  for (const name of [...OURS, ...installed]) {
    const of = (load: LoadName): number => median(starts.map(all => all.get(name)?.[load] ?? Number.NaN))
    rows.set(name, { small: of('small'), browser: of('browser') })
  }
  console.log(`behind them: ${backends.name}\n${tableOf(rows)}`)
  const [ours, caddy] = [rows.get('limpet-command'), rows.get('caddy')]
  if (ours === undefined || caddy === undefined) return []
  return (['small', 'browser'] as const).map(load => ({
    what: `limpet-command / caddy, ${load} heads`,
    value: ours[load] / caddy[load],
    most: OVER_CADDY,
  }))
}

async function costsOfOneStart(
  installed: readonly PeerName[],
  urls: readonly string[],
): Promise<ReadonlyMap<string, Costs>> {
  const contestants: Contestant[] = await Promise.all([
    ...OURS.map(async name => startOurs(name, urls)),
    ...installed.map(async name => startPeerGateway(name, urls)),
  ])
  try {
    const small = await costs(contestants, 'small')
    const browser = await costs(contestants, 'browser')
    return new Map(
      contestants.map(({ name }) => [
        name,
        { small: small.get(name) ?? Number.NaN, browser: browser.get(name) ?? Number.NaN },
      ]),
    )
  } finally {
    await Promise.all(contestants.map(async contestant => contestant.stop()))
  }
}

async function startOurs(name: string, urls: readonly string[]): Promise<Contestant> {
  const child = await Child.start(`gateways/${name}`, urls)
  return { name, pid: child.pid, url: child.url, stop: async () => child.stop() }
}

/** CPU time of one request, in microseconds, by the name of the gateway. */
async function costs(
  contestants: readonly Contestant[],
  load: LoadName,
): Promise<ReadonlyMap<string, number>> {
  const all = contestants.map(contestant => ({
    contestant,
    browsers: new Browsers(contestant.url, CONNECTIONS, LOADS[load]),
    cpuUs: 0,
  }))
  for (let times = 0; times < WARM_UPS; times += 1)
    for (const { browsers } of all) await browsers.ask(REQUESTS)
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let index = 0; index < all.length; index += 1) {
      // The order rotates, so that no contestant always follows the same neighbour.
      const one = all[(index + round) % all.length]
      if (one === undefined) continue
      const before = cpuUsOf(one.contestant.pid)
      await one.browsers.ask(REQUESTS)
      one.cpuUs += cpuUsOf(one.contestant.pid) - before
    }
  }
  await Promise.all(all.map(async ({ browsers }) => browsers.close()))
  return new Map(all.map(({ contestant, cpuUs }) => [contestant.name, cpuUs / (ROUNDS * REQUESTS)]))
}

/** CPU time of all threads of a process so far, in microseconds. */
function cpuUsOf(pid: number): number {
  const folder = `/proc/${pid}/task`
  return readdirSync(folder)
    .map(thread => Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1_000)
    .reduce((sum, us) => sum + us, 0)
}

/** Rows of Markdown, the least cost first. In brackets: as a multiple of the hand-written proxy. */
function tableOf(rows: ReadonlyMap<string, Costs>): string {
  const base = rows.get('hand-written')
  const cell = (costUs: Costs, load: LoadName): string =>
    `${costUs[load].toFixed(0)} µs (${(costUs[load] / (base?.[load] ?? Number.NaN)).toFixed(2)})`
  return [
    '| gateway | five fields | as a browser sends them |',
    '| --- | --- | --- |',
    ...[...rows]
      .toSorted(([, one], [, other]) => one.small - other.small)
      .map(([name, of]) => `| ${name} | ${cell(of, 'small')} | ${cell(of, 'browser')} |`),
  ].join('\n')
}
