import type { Sealed } from './seal.ts'

/** The backends that one process drains, as it tells the other gateways. */
export interface DrainReport {
  /** The process, as a random word. */
  readonly process: string
  /** Counts the reports of this process, so that an old one cannot be repeated. */
  readonly rev: number
  readonly backends: readonly DrainingBackend[]
}

export interface DrainingBackend {
  readonly id: string
  /** The drain goes on. Otherwise its deadline has passed, and requests are left. */
  readonly isDraining: boolean
  /** Requests, tunnels among them. */
  readonly inFlight: number
  readonly tunnels: number
  /** Live sessions; absent: not counted. */
  readonly sessions?: number
}

/** More backends that drain at one time are not reported. */
export const MAX_REPORTED = 1_000

/** Reports in Redis. */
export const SEALED_REPORTS: Sealed<DrainReport> = {
  purpose: 'drain reports',
  maxLength: 262_144,
  parse: parseReport,
}

/** Whether a process has sessions or requests that the end of the drain would move or cut. */
export function needsBackend({ isDraining, inFlight, sessions }: DrainingBackend): boolean {
  return isDraining && (inFlight > 0 || sessions !== 0)
}

function parseReport(value: unknown): DrainReport | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { process, rev, backends } = value as Record<string, unknown>
  const isWhole =
    typeof process === 'string' && isCount(rev) && Array.isArray(backends) && backends.every(isBackend)
  return isWhole ? (value as DrainReport) : undefined
}

function isBackend(value: unknown): value is DrainingBackend {
  if (typeof value !== 'object' || value === null) return false
  const { id, isDraining, inFlight, tunnels, sessions } = value as Record<string, unknown>
  return (
    typeof id === 'string' &&
    typeof isDraining === 'boolean' &&
    isCount(inFlight) &&
    isCount(tunnels) &&
    (sessions === undefined || isCount(sessions))
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
