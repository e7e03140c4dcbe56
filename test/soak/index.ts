import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FaultyBackend } from './faulty-backend.ts'
import { type Held, SoakedGateway } from './soaked-gateway.ts'
import { Traffic } from './traffic.ts'

const HELP = `npm run soak -- [--minutes 10] [--adapter fastify|express|koa] [--clients 40]

Mixed traffic with faults against the limpet command. It exits with 1 when the heap, the descriptors or the
requests in flight have not returned to where they began.
`

/** Traffic before the first look, so that code is compiled and caches are full. */
const WARM_UP_MS = 15_000
/** Longer than idle connections are kept, and a slow client may take. */
const REST_MS = 9_000
const MEBIBYTE = 1024 ** 2
/** Growth that is allowed: caches that have a bound, and code that was compiled. */
const HEAP_MARGIN = 12 * MEBIBYTE
const DESCRIPTOR_MARGIN = 4

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    adapter: { type: 'string', default: '' },
    clients: { type: 'string', default: '40' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(HELP)
} else {
  const adapters = values.adapter === '' ? ['fastify', 'express', 'koa'] : [values.adapter]
  const minutes = Number(values.minutes) / adapters.length
  if (!(minutes > 0)) throw new RangeError(`--minutes got ${values.minutes}; it takes a number above 0`)
  for (const adapter of adapters) {
    const problems = await soak(adapter, minutes * 60_000, Number(values.clients))
    for (const problem of problems) console.log(`  FAILED: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
  }
}

async function soak(adapter: string, forMs: number, clients: number): Promise<readonly string[]> {
  console.log(`limpet --adapter ${adapter}, ${(forMs / 60_000).toFixed(1)} minutes, ${clients} clients`)
  const backends = ['w1', 'w2', 'w3'].map(id => new FaultyBackend(id))
  await Promise.all(backends.map(async backend => backend.start()))
  const gateway = await SoakedGateway.start(adapter, backends)
  try {
    await load(gateway, backends, WARM_UP_MS, clients)
    const before = await gateway.held()
    console.log(`  before: ${shown(before)}`)
    const counts = await load(gateway, backends, forMs, clients)
    console.log(`  ${[...counts].map(([name, count]) => `${count} ${name}`).join(', ')}`)
    const after = await gateway.held()
    console.log(`  after:  ${shown(after)}`)
    const code = await gateway.stop()
    return [
      ...problemsOf(before, after),
      ...(code === 0 ? [] : [`the exit code is ${String(code)}`]),
      ...gateway.uncaught.map(line => `uncaught: ${line}`),
    ]
  } finally {
    gateway.kill()
    await Promise.all(backends.map(async backend => backend.kill()))
  }
}

/** Traffic with faults for this long, and then a rest. */
async function load(
  gateway: SoakedGateway,
  backends: readonly FaultyBackend[],
  forMs: number,
  clients: number,
): Promise<ReadonlyMap<string, number>> {
  const traffic = new Traffic()
  const endMs = performance.now() + forMs
  traffic.begin(gateway.port, clients)
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    const backend = backends[turn % backends.length]
    if (backend !== undefined) await (turn % 2 === 0 ? restart(backend) : drain(gateway, backend))
  }
  await traffic.end()
  await delay(REST_MS)
  return traffic.counts
}

async function restart(backend: FaultyBackend): Promise<void> {
  await backend.kill()
  await delay(1_500)
  await backend.start()
  await delay(1_000)
}

async function drain(gateway: SoakedGateway, { id }: FaultyBackend): Promise<void> {
  for (const state of ['drain', 'maint', 'ready']) {
    await gateway.tell(id, state)
    await delay(700)
  }
}

function problemsOf(before: Held, after: Held): readonly string[] {
  const problems: string[] = []
  if (after.heap > before.heap + HEAP_MARGIN) problems.push('the heap has grown')
  if (after.descriptors > before.descriptors + DESCRIPTOR_MARGIN) problems.push('descriptors are left open')
  if (after.inFlight > 0) problems.push('requests are left in flight')
  return problems
}

function shown({ heap, descriptors, inFlight }: Held): string {
  return `heap ${(heap / MEBIBYTE).toFixed(1)} MiB, ${descriptors} descriptors, ${inFlight} in flight`
}
