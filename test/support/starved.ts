import { readFileSync } from 'node:fs'

/**
 * Milliseconds in which the main thread of a process was ready to run and others had all CPUs, since its start. 0 where
 * the system does not tell.
 */
export function starvedMs(pid: number | undefined = process.pid): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}
