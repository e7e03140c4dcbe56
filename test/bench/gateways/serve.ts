import { readFileSync } from 'node:fs'
import { getHeapSpaceStatistics } from 'node:v8'
import type { Affinity } from '@limpet/core'

/** How a gateway is doing. */
export interface Report {
  /** CPU time, in microseconds, of the process so far. */
  readonly cpuUs: number
  readonly rss: number
  /** The most that `rss` ever was. */
  readonly peakRss: number
  /** Without garbage when the process was started with --expose-gc. */
  readonly heap: number
  /** V8's old generation: what lives through two collections of the young one is promoted to it. */
  readonly oldHeap: number
  /** TCP sockets that are open, to clients and to backends. */
  readonly sockets: number
  /** The pool's count of requests in flight, for gateways that have one. */
  readonly inFlight: number
  readonly failures: number
}

/** Tells the parent where this gateway listens, and how it is doing whenever it is asked. */
export function serve(url: string, affinity?: Affinity): void {
  process.on('message', () => process.send?.(report(affinity)))
  process.on('disconnect', () => process.exit(0))
  process.send?.({ urls: [url] })
}

function report(affinity: Affinity | undefined): Report {
  globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const backends = affinity?.pool.backends ?? []
  return {
    cpuUs: user + system,
    rss,
    peakRss: peakRss(),
    heap: heapUsed,
    oldHeap: getHeapSpaceStatistics().find(space => space.space_name === 'old_space')?.space_used_size ?? 0,
    sockets: process.getActiveResourcesInfo().filter(kind => kind === 'TCPSocketWrap').length,
    inFlight: backends.reduce((sum, view) => sum + view.inFlight, 0),
    failures: backends.reduce((sum, view) => sum + view.failures, 0),
  }
}

/** Linux's maxRSS begins with what the parent had at the fork, and so does not tell of this process. */
function peakRss(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
}
