import { get } from 'node:http'

/** Asks for a path of this machine, and reads the response to its end. */
export async function scrape(port: number, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, response => {
      response.resume().on('end', resolve).on('error', reject)
    }).on('error', reject)
  })
}

/**
 * CPU time of the longest turn of the event loop while `work` lasts, in milliseconds: the time for which it holds up a
 * request. Other processes take none of it.
 */
export async function longestTurn(work: () => Promise<void>): Promise<number> {
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

/** CPU time of this thread, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
