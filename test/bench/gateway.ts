import { type LoadName, LOADS } from './browser.ts'
import { Browsers } from './browsers.ts'
import { Child } from './child.ts'
import { type Measured, median, medianOf } from './measured.ts'

/*
 * CPU time per request of gateways with limpet and of those without, same backends, same load, taking turns within
 * one run. CPU time and not requests per second: the load comes from the same machine.
 */

const CONNECTIONS = 32
const REQUESTS = 3_200
const ROUNDS = 15

/** The most bytes of a request that may outlive two collections of the young generation. */
const PROMOTED = 100

/** The most that a gateway with limpet may cost, as a multiple of each of the others, for each kind of request heads. */
type Limits = Readonly<Record<LoadName, number>>

const CONTESTS: readonly { ours: string; others: Readonly<Record<string, Limits>> }[] = [
  {
    ours: 'limpet-fastify',
    others: {
      'bare-fastify': { browser: 1, small: 1 },
      'hand-written': { browser: 1.35, small: 1.35 },
    },
  },
  { ours: 'limpet-express', others: { 'bare-express': { browser: 1, small: 1 } } },
  { ours: 'limpet-koa', others: { 'bare-koa': { browser: 1, small: 1 } } },
  { ours: 'limpet-command', others: { 'limpet-fastify': { browser: 1.1, small: 1.1 } } },
  // The cost of a log line for each request.
  { ours: 'limpet-command-logging', others: { 'limpet-command': { browser: 1.3, small: 1.3 } } },
]

/** A gateway, and its browsers. */
class Contestant {
  readonly perRequestUs: number[] = []
  /** Bytes of each request that V8 took for long-lived; a full collection within a round makes them negative. */
  readonly promotedBytes: number[] = []
  readonly #gateway: Child
  readonly #browsers: Browsers

  constructor(gateway: Child, load: LoadName) {
    this.#gateway = gateway
    this.#browsers = new Browsers(gateway.url, CONNECTIONS, LOADS[load])
  }

  async run(): Promise<void> {
    const before = await this.#gateway.report()
    await this.load()
    const after = await this.#gateway.report()
    this.perRequestUs.push((after.cpuUs - before.cpuUs) / REQUESTS)
    this.promotedBytes.push((after.oldHeap - before.oldHeap) / REQUESTS)
  }

  async load(): Promise<void> {
    await this.#browsers.ask(REQUESTS)
  }

  async stop(): Promise<void> {
    await this.#browsers.close()
    await this.#gateway.stop()
  }
}

export async function benchGateway(): Promise<Measured[]> {
  const backends = await Child.start('backend')
  const measured: Measured[] = []
  for (const { ours, others } of CONTESTS) {
    for (const load of ['browser', 'small'] as const) {
      const names = [ours, ...Object.keys(others)]
      const contestants = await hold(names, load, backends.urls)
      const costs = contestants.map(({ perRequestUs }) => perRequestUs)
      const figures = names.map((name, index) => `${name} ${median(costs[index] ?? []).toFixed(1)} µs`)
      console.log(`CPU per request, ${load} heads  ${figures.join('  ')}`)
      for (const [index, [name, limits]] of Object.entries(others).entries()) {
        const what = `${ours} / ${name}, ${load} heads`
        measured.push(medianOf(what, ratios(costs[0] ?? [], costs[index + 1] ?? []), limits[load]))
      }
      const promoted = contestants[0]?.promotedBytes ?? []
      measured.push(medianOf(`${ours}, promoted per request, ${load} heads`, promoted, PROMOTED, 'B'))
    }
  }
  await backends.stop()
  return measured
}

/** The gateways, after all rounds. */
async function hold(
  names: readonly string[],
  load: LoadName,
  urls: readonly string[],
): Promise<readonly Contestant[]> {
  const contestants = await Promise.all(
    names.map(async name => new Contestant(await Child.start(`gateways/${name}`, urls), load)),
  )
  for (let times = 0; times < 2; times += 1) for (const contestant of contestants) await contestant.load()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let index = 0; index < contestants.length; index += 1) {
      // The order rotates, so that no contestant always follows the same neighbour.
      await contestants[(index + round) % contestants.length]?.run()
    }
  }
  await Promise.all(contestants.map(async contestant => contestant.stop()))
  return contestants
}

/** Round by round: what disturbs the machine disturbs neighbours alike. */
function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
}
