import type { BackendRow } from './admin-client.ts'
import { durationText } from './duration-text.ts'
import { sessionsText } from './status-table.ts'

const BAR = 20
/** From fewer sessions, or in less time, the rest cannot be foretold. */
const MIN_FORECAST_MS = 5_000

interface Sample {
  readonly sessions: number
  readonly atMs: number
}

/** The progress of a drain, as a line of text. */
export class DrainProgress {
  readonly #deadlineAtMs: number
  readonly #startedAtMs: number
  #first: Sample | undefined

  /** @param endAtMs when the drain ends at the latest; times are milliseconds since the epoch */
  constructor(startedAtMs: number, endAtMs: number) {
    this.#startedAtMs = startedAtMs
    this.#deadlineAtMs = endAtMs
  }

  line(backend: BackendRow, nowMs: number): string {
    const { sessions, inFlight, tunnels } = backend
    if (sessions !== undefined) this.#first ??= { sessions, atMs: nowMs }
    const share = this.#share(sessions, nowMs)
    const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.')
    const left = [
      sessions === undefined ? 'sessions are not counted' : `${sessionsText(backend)} sessions`,
      `${tunnels} tunnels`,
      `${inFlight} requests in flight`,
    ]
    return `[${bar}] ${String(Math.round(share * 100)).padStart(3)}%  ${left.join(', ')}; ${this.#endText(sessions, nowMs)}`
  }

  /** Of its sessions, where they are counted; otherwise of its time. */
  #share(sessions: number | undefined, nowMs: number): number {
    const first = this.#first
    if (sessions !== undefined && first !== undefined && first.sessions > 0)
      return Math.min(1, Math.max(0, 1 - sessions / first.sessions))
    const wholeMs = this.#deadlineAtMs - this.#startedAtMs
    return wholeMs <= 0 ? 1 : Math.min(1, Math.max(0, (nowMs - this.#startedAtMs) / wholeMs))
  }

  /** By the pace of the sessions so far, and never after the deadline. */
  #endText(sessions: number | undefined, nowMs: number): string {
    const leftMs = Math.max(0, this.#deadlineAtMs - nowMs)
    const first = this.#first
    if (first !== undefined && sessions !== undefined && nowMs - first.atMs >= MIN_FORECAST_MS) {
      const goneMs = nowMs - first.atMs
      const gone = first.sessions - sessions
      const expectedMs = gone > 0 ? (sessions * goneMs) / gone : Infinity
      if (expectedMs < leftMs) return `ends in about ${durationText(expectedMs)}`
    }
    return `ends in ${durationText(leftMs)} at the latest`
  }
}
