import { parseArgs } from 'node:util'
import { CaddyGateway } from './caddy-gateway.ts'
import { CommandGateway } from './command-gateway.ts'
import type { StartGateway } from './drilled-gateway.ts'
import { DRILLS } from './drills.ts'
import { Fleet } from './fleet.ts'
import { type FleetDrill, type FleetKind, FLEETS } from './fleet-drills.ts'
import { runFleetDrills } from './fleet-run.ts'
import { HaproxyGateway } from './haproxy-gateway.ts'
import { REDIS_COMMAND } from '../support/redis-process.ts'
import { LimpetGateway } from './limpet-gateway.ts'
import type { Outcome } from './outcome.ts'
import { programPath } from './peer.ts'
import { runDrill } from './run.ts'

/*
 * Operators' commands on a live pool, and failing backends, under load: `npm run drill`. Exits with 1 when a drill
 * fails on limpet. `--drill` and `--gateway` choose by a part of the name, `--peers` adds HAProxy and Caddy. Then come the
 * drills of fleets, which are chosen in the same way: several gateways or workers that share learned sessions.
 */

const PEERS: readonly [string, StartGateway][] = [
  ['haproxy', async shops => HaproxyGateway.start(shops)],
  ['caddy', async shops => CaddyGateway.start(shops)],
]

const { values } = parseArgs({
  options: {
    drill: { type: 'string', default: '' },
    gateway: { type: 'string', default: '' },
    peers: { type: 'boolean', default: false },
    visitors: { type: 'string', default: '100' },
    rate: { type: 'string', default: '200' },
  },
})
const FLEET_LOAD = { visitors: 500, perSecond: 150, silenceMs: 10_000 }
const DEADLINE = '50ms'
const load = { visitors: Number(values.visitors), perSecond: Number(values.rate) }

const gateways = new Map<string, StartGateway>()
for (const adapter of ['fastify', 'express', 'koa'])
  gateways.set(`limpet ${adapter}`, async shops => LimpetGateway.start(adapter, shops))
for (const adapter of ['fastify', 'express', 'koa'])
  gateways.set(`command ${adapter}`, async shops => CommandGateway.start(adapter, shops))
for (const [name, start] of values.peers ? PEERS : []) {
  if (programPath(name) === undefined) console.log(`${name} is not installed`)
  else gateways.set(name, start)
}

const drills = DRILLS.filter(({ name }) => name.includes(values.drill))
const chosen = [...gateways].filter(([name]) => name.includes(values.gateway))
const fleets = FLEETS.filter(fleet => fleet.name.includes(values.gateway) && fleetDrills(fleet).length > 0)
if ((drills.length === 0 || chosen.length === 0) && fleets.length === 0) {
  console.error(
    [
      `there are ${names(DRILLS)} on ${[...gateways.keys()].join(', ')}`,
      ...FLEETS.map(fleet => `${names(fleet.drills)} on ${fleet.name}`),
    ].join(';\n'),
  )
  process.exit(2)
}

let isFailed = false
const rows: Record<string, string>[] = []
for (const drill of drills) {
  console.log(`\n${drill.name}: ${drill.shows}`)
  for (const [name, start] of chosen) {
    progress(`  ${name} …`)
    const outcome = await runDrill(drill, start, load)
    progress('')
    console.log(`  ${name}: ${outcome === undefined ? 'has no means for it' : tell(outcome)}`)
    for (const problem of outcome?.problems ?? []) console.log(`      ${problem}`)
    // Results of other gateways are shown, not judged.
    if (/^(?:limpet|command) /.test(name) && (outcome?.problems.length ?? 1) > 0) isFailed = true
    if (outcome !== undefined) rows.push({ drill: drill.name, gateway: name, ...figures(outcome) })
  }
}
if (rows.length > 0) console.table(rows)
for (const fleet of fleets) {
  if (fleet.size.hasRedis && REDIS_COMMAND === undefined)
    console.log(`${fleet.name}: needs redis-server or valkey-server on the PATH`)
  else await drillFleet(fleet)
}
process.exitCode = isFailed ? 1 : 0

function figures({
  requests,
  errors,
  moved,
  movedTwice,
  itemsLost,
  slowestMs,
  problems,
}: Outcome): Record<string, string> {
  const numbers = {
    requests,
    errors,
    moved,
    'moved twice': movedTwice,
    'items lost': itemsLost,
    'slowest ms': slowestMs,
  }
  const texts = Object.entries(numbers).map(([name, value]) => [name, String(value)])
  return { ...Object.fromEntries(texts), shown: problems.length === 0 ? 'yes' : 'no' } as Record<
    string,
    string
  >
}

function tell(outcome: Outcome): string {
  const { errors, moved, movedTwice, remark } = outcome
  const twice = movedTwice > 0 ? `, ${movedTwice} of them more than once` : ''
  return `${outcome.requests} requests, ${errors} errors, ${moved} sessions moved${twice}${remark === '' ? '' : `; ${remark}`}`
}

/** One line that is written over. */
function progress(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line}`)
}

async function drillFleet(kind: FleetKind): Promise<void> {
  console.log(`\n${kind.name}`)
  const fleet = await Fleet.start(kind.size, DEADLINE)
  try {
    const outcomes: object[] = []
    for await (const { problems, ...outcome } of runFleetDrills(fleet, fleetDrills(kind), FLEET_LOAD)) {
      for (const problem of problems) console.log(`  ${outcome.drill}: ${problem}`)
      if (problems.length > 0) isFailed = true
      outcomes.push({ ...outcome, shown: problems.length === 0 ? 'yes' : 'no' })
    }
    console.table(outcomes)
  } finally {
    await fleet.stop()
  }
}

function fleetDrills({ drills: all }: FleetKind): readonly FleetDrill[] {
  return all.filter(({ name }) => name.includes(values.drill))
}

function names(list: readonly { readonly name: string }[]): string {
  return list.map(({ name }) => name).join(', ')
}
