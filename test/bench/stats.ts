import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { inTurns } from '@limpet/metrics'
import { OperatorPage, statsCsvPieces, statsJsonPieces } from '@limpet/stats'
import { busyPool } from './busy-pool.ts'
import { type Measured, medianOf } from './measured.ts'
import { cpuMs, longestTurn, scrape } from './scrape.ts'

/* The views of 1,000 backends: the CPU time of the page, and the longest turns of the event loop of CSV and JSON. */

const BACKENDS = 1_000
const LOOKS = 15
/** For the compiler. */
const WARM_UP = 5

export async function benchStats(): Promise<Measured[]> {
  const affinity = await busyPool(BACKENDS)
  const page = new OperatorPage({ figures: () => ({ pools: [affinity.stats()] }), change: () => undefined })
  const form = async (): Promise<URLSearchParams> => new URLSearchParams()
  const asked = { method: 'GET', url: '/?sort=p99', headers: {}, credentials: '', form }
  const server = createServer(({ url }, response) => {
    const pools = { web: affinity.stats() }
    const pieces = url === '/csv' ? statsCsvPieces(Object.values(pools)) : statsJsonPieces({ pools })
    Readable.from(inTurns(pieces)).pipe(response)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const [pages, csv, json]: [number[], number[], number[]] = [[], [], []]
  for (let count = 0; count < WARM_UP + LOOKS; count += 1) {
    const before = cpuMs()
    await page.respond(asked)
    const cost = cpuMs() - before
    const turns = [
      await longestTurn(async () => scrape(port, '/csv')),
      await longestTurn(async () => scrape(port, '/json')),
    ] as const
    if (count < WARM_UP) continue
    pages.push(cost)
    csv.push(turns[0])
    json.push(turns[1])
  }
  server.close()
  return [
    medianOf('stats page of 1,000 backends', pages, 300, 'ms'),
    medianOf('longest turn of /stats;csv', csv, 5, 'ms'),
    medianOf('longest turn of /stats.json', json, 5, 'ms'),
  ]
}
