import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAffinity, requestHead } from '@limpet/core'
import { metrics } from '@limpet/metrics'
import { type Measured, medianOf } from './measured.ts'

/*
 * A scrape of 1,000 backends that all have had requests: its CPU time, and the longest turn of the event loop, which is
 * the time for which it holds up a request.
 */

const BACKENDS = 1_000
const SCRAPES = 15
/** For the compiler. */
const WARM_UP = 5

export async function benchMetrics(): Promise<Measured[]> {
  const exposed = metrics(await busyPool())
  const server = createServer(exposed.handler)
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const costs: number[] = []
  const turns: number[] = []
  for (let scrape = 0; scrape < WARM_UP + SCRAPES; scrape += 1) {
    const before = cpuMs()
    exposed.expose()
    const cost = cpuMs() - before
    const turn = await longestTurn(async () => scraped(port))
    if (scrape < WARM_UP) continue
    costs.push(cost)
    turns.push(turn)
  }
  server.close()
  return [
    medianOf('/metrics of 1,000 backends', costs, 50, 'ms'),
    medianOf('longest turn of a scrape', turns, 5, 'ms'),
  ]
}

async function busyPool(): Promise<ReturnType<typeof createAffinity>> {
  const affinity = createAffinity({
    backends: Array.from({ length: BACKENDS }, (_, index) => ({
      id: `w${index}`,
      url: `http://10.0.${index >> 8}.${index & 255}:8080`,
    })),
    secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
  })
  const headers = { host: 'shop.example.com' }
  const rawHeaders = ['Host', 'shop.example.com']
  const head = requestHead({ method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} })
  for (let request = 0; request < 5 * BACKENDS; request += 1) {
    const lease = await affinity.select(head)
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
  }
  return affinity
}

async function scraped(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/metrics', agent: false }, response => {
      response.resume().on('end', resolve).on('error', reject)
    }).on('error', reject)
  })
}

/** CPU time of the longest turn while `work` lasts, in milliseconds: other processes take none of it. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  let longestMs = 0
  let isOver = false
  let lastMs = cpuMs()
  function turn(): void {
    const nowMs = cpuMs()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isOver = true
  return longestMs
}

/** CPU time of this thread. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
