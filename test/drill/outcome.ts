import type { Traffic } from './traffic.ts'
import type { Visit, Visitor } from './visitor.ts'

/** The result of a drill on one gateway. */
export interface Outcome {
  readonly requests: number
  /** Answers that no visitor should have had. */
  readonly errors: number
  readonly moved: number
  readonly movedTwice: number
  /** Items that went with a move or got lost otherwise. */
  readonly itemsLost: number
  readonly slowestMs: number
  /** A remark for the report. */
  readonly remark: string
  /** Deviations from the requirements. */
  readonly problems: readonly string[]
}

export interface Judged {
  readonly remark?: string
  readonly problems: readonly (string | false)[]
}

export function outcomeOf(
  { visitors, visits }: Traffic,
  sinceMs: number,
  { remark = '', problems }: Judged,
): Outcome {
  const since = visits.filter(({ endedMs }) => endedMs >= sinceMs)
  return {
    requests: since.length,
    errors: since.filter(isError).length,
    moved: visitors.filter(({ moves }) => moves.length > 0).length,
    movedTwice: visitors.filter(({ moves }) => moves.length > 1).length,
    itemsLost: visitors.reduce(
      (sum, { moves, lost }) => sum + lost + moves.reduce((items, move) => items + move.items, 0),
      0,
    ),
    slowestMs: Math.max(0, ...since.map(({ startedMs, endedMs }) => endedMs - startedMs)),
    remark,
    problems: problems.filter(problem => problem !== false),
  }
}

export function isError({ status }: Visit): boolean {
  return status !== 200
}

/** A problem unless `list` is empty: how many, and the first few. */
export function none(list: readonly unknown[], what: string): string | false {
  return (
    list.length > 0 &&
    `${list.length} ${what}: ${list
      .slice(0, 3)
      .map(one => JSON.stringify(one))
      .join(', ')}`
  )
}

/** Visitors whose session was at `home` at that moment. */
export function at(visitors: readonly Visitor[], home: string, atMs: number): readonly Visitor[] {
  return visitors.filter(visitor => homeAt(visitor, atMs) === home)
}

function homeAt({ visits, home }: Visitor, atMs: number): string | undefined {
  return visits.find(visit => visit.endedMs > atMs)?.home ?? home
}
