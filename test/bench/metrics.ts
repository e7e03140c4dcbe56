import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { metrics } from '@limpet/metrics'
import { busyPool } from './busy-pool.ts'
import { type Measured, medianOf } from './measured.ts'
import { cpuMs, longestTurn, scrape } from './scrape.ts'

/* A scrape of 1,000 backends: its CPU time, and its longest turn of the event loop. */

const BACKENDS = 1_000
const SCRAPES = 15
/** For the compiler. */
const WARM_UP = 5

export async function benchMetrics(): Promise<Measured[]> {
  const exposed = metrics(await busyPool(BACKENDS))
  const server = createServer(exposed.handler)
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const costs: number[] = []
  const turns: number[] = []
  for (let count = 0; count < WARM_UP + SCRAPES; count += 1) {
    const before = cpuMs()
    exposed.expose()
    const cost = cpuMs() - before
    const turn = await longestTurn(async () => scrape(port, '/metrics'))
    if (count < WARM_UP) continue
    costs.push(cost)
    turns.push(turn)
  }
  server.close()
  return [
    medianOf('/metrics of 1,000 backends', costs, 50, 'ms'),
    medianOf('longest turn of a scrape', turns, 5, 'ms'),
  ]
}
