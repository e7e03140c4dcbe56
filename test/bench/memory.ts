import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from './child.ts'
import { Clients } from './clients.ts'
import type { Report } from './gateways/serve.ts'
import type { Measured } from './measured.ts'

/*
 * Heap that a gateway needs for what it has in hand: requests that wait for their answer, and WebSocket tunnels that
 * wait for a word. And that all of it comes back.
 */

const REQUESTS = 2_000
const TUNNELS = 10_000
/** Warm-up requests of each before anything is measured: code compiled, tables grown. */
const WARM_UP = 300
const GATEWAYS = ['limpet-fastify', 'limpet-express', 'limpet-koa']

export async function benchMemory(): Promise<Measured[]> {
  const measured: Measured[] = []
  for (const name of GATEWAYS) {
    const backends = await Child.start('backend')
    const gateway = await Child.start(`gateways/${name}`, backends.urls, ['--expose-gc'])
    measured.push(await requestsInFlight(gateway), ...(await tunnels(gateway)))
    await Promise.all([gateway.stop(), backends.stop()])
  }
  return measured
}

async function requestsInFlight(gateway: Child): Promise<Measured> {
  const clients = new Clients(gateway.port)
  const hold = async (count: number): Promise<void> => clients.ask(count, '/api/hang')
  const { before, held } = await heldAndReleased(gateway, clients, hold, WARM_UP, REQUESTS)
  return perEach(`${gateway.name}, request in flight`, before, held, REQUESTS, 15)
}

async function tunnels(gateway: Child): Promise<Measured[]> {
  const clients = new Clients(gateway.port)
  const count = Math.min(TUNNELS, Math.floor((openFiles() - 200) / 2))
  if (count < TUNNELS)
    console.log(`${gateway.name}: ${count} tunnels, for a process may have ${openFiles()} files`)
  const hold = async (more: number): Promise<void> => clients.openTunnels(more)
  const first = await heldAndReleased(gateway, clients, hold, WARM_UP, count)
  const second = await heldAndReleased(gateway, clients, hold, WARM_UP, count)
  return [
    perEach(`${gateway.name}, idle tunnel`, first.before, first.held, count, 20),
    {
      what: `${gateway.name}, heap after tunnels / before`,
      value: second.after.heap / first.after.heap,
      most: 1.03,
    },
    {
      what: `${gateway.name}, sockets left over`,
      value: second.after.sockets - first.before.sockets,
      most: 0,
    },
  ]
}

/** The gateway's reports before it held `count`, with them, and after. */
async function heldAndReleased(
  gateway: Child,
  clients: Clients,
  hold: (count: number) => Promise<void>,
  warmUp: number,
  count: number,
): Promise<{ before: Report; held: Report; after: Report }> {
  await hold(warmUp)
  await settled(gateway, warmUp)
  await clients.leave()
  const before = await settled(gateway, 0)
  await hold(count)
  const held = await settled(gateway, count)
  await clients.leave()
  return { before, held, after: await settled(gateway, 0) }
}

/** A report once so much is in flight, and idle connections to backends, which are kept for 4 s, are gone. */
async function settled(gateway: Child, inFlight: number): Promise<Report> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const report = await gateway.report()
    // One is the server's own.
    if (report.inFlight === inFlight && report.sockets <= inFlight * 2) return report
    if (Date.now() > deadline) {
      throw new Error(
        `${gateway.name}: ${report.inFlight} in flight, ${report.sockets} sockets; not ${inFlight}`,
      )
    }
    await sleep(250)
  }
}

function perEach(what: string, before: Report, held: Report, count: number, most: number): Measured {
  return { what, value: (held.heap - before.heap) / count / 1024, most, unit: 'KB' }
}

/** How many files a process may have open. Node raises what it may to the most that it may. */
function openFiles(): number {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | string } }
  }
  const soft = Number(userLimits?.open_files?.soft ?? 1024)
  return Number.isNaN(soft) ? Infinity : soft
}
