import type { Ending, Outcome } from './kill-test.ts'
import type { JournalEvent, Phase, Second } from './journal.ts'
import type { Scenario } from './scenario.ts'
import type { Budget } from './settings.ts'

/** The time of one action, until the next one. Times in milliseconds from the start of the test. */
export interface PhaseReport {
  /** As `kill shop1`; `before` for the time before the first action. */
  readonly name: string
  readonly action: string | null
  readonly backend: string | null
  readonly startMs: number
  readonly endMs: number
  readonly steps: number
  /** Users whose session was on the backend; null when it is not known who answers. */
  readonly usersOnBackend: number | null
  /** Users that noticed anything: an error, a loss, a logout. */
  readonly usersAffected: number
  readonly errors: number
  readonly usersMoved: number | null
  readonly lostWrites: number
  readonly usersWithLoss: number
  /** Of those, users of other backends; null when it is not known. */
  readonly usersWithLossElsewhere: number | null
  readonly usersLoggedOut: number
  /** From the action to the last trouble; 0 without trouble, null when it did not end. */
  readonly recoveryMs: number | null
  readonly slowestMs: number
  readonly slowestStep: string
  /** By their text. */
  readonly errorTexts: Readonly<Record<string, number>>
}

/** A limit that the test had to keep. */
export interface BudgetReport {
  readonly name: 'lost writes' | 'errors' | 'users logged out' | 'recovery'
  readonly limit: number
  /** Null: users did not recover. */
  readonly value: number | null
  readonly unit: '' | 'ms'
  readonly isKept: boolean
}

/** All that is known after a test; written as JSON as it is. */
export interface Report {
  readonly version: 1
  readonly scenario: string
  readonly target: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly durationMs: number
  readonly sessions: number
  readonly ending: Ending
  readonly problem: string | null
  readonly exitCode: number
  readonly phases: readonly PhaseReport[]
  readonly budget: readonly BudgetReport[]
  /** Confirmed writes that no step has read since. */
  readonly unreadWrites: number
  readonly seconds: readonly Second[]
  readonly events: readonly JournalEvent[]
}

const EXIT_CODES: Readonly<Record<Ending, number>> = {
  done: 0,
  sick: 1,
  scenario: 2,
  hook: 2,
  idle: 2,
  'too-long': 2,
  SIGINT: 130,
  SIGTERM: 143,
}

export function reportOf(
  { ending, problem, journal, durationMs, unread }: Outcome,
  scenario: Scenario,
  budget: Budget,
  target: URL,
  startedAt: Date,
): Report {
  const isKnown = scenario.backend !== undefined && journal.backends.size > 0
  const phases = journal.phases.map(phase => phaseReport(phase, isKnown))
  const budgets = budgetReports(phases, budget)
  const code = EXIT_CODES[ending]
  const isGood = budgets.every(({ isKept }) => isKept) && phases.every(phase => phase.recoveryMs !== null)
  return {
    version: 1,
    scenario: scenario.name,
    target: target.href,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(durationMs),
    sessions: scenario.sessions,
    ending,
    problem: problem ?? null,
    exitCode: code === 0 && !isGood ? 1 : code,
    phases,
    budget: budgets,
    unreadWrites: unread,
    seconds: journal.seconds,
    events: journal.events,
  }
}

function phaseReport(phase: Phase, isKnown: boolean): PhaseReport {
  const { action, backend, users, failed, losers, loggedOut } = phase
  const hasUsers = isKnown && backend !== undefined
  return {
    name: action === undefined ? 'before' : `${action} ${backend ?? 'one backend'}`,
    action: action ?? null,
    backend: backend ?? null,
    startMs: Math.round(phase.startMs),
    endMs: Math.round(phase.endMs),
    steps: phase.steps,
    usersOnBackend: hasUsers ? users.size : null,
    usersAffected: failed.union(losers).union(loggedOut).size,
    errors: phase.errors,
    usersMoved: isKnown ? phase.moved.size : null,
    lostWrites: phase.lost,
    usersWithLoss: losers.size,
    usersWithLossElsewhere: hasUsers ? losers.difference(users).size : null,
    usersLoggedOut: loggedOut.size,
    recoveryMs: recoveryMs(phase),
    slowestMs: Math.round(phase.slowestMs),
    slowestStep: phase.slowestStep,
    errorTexts: Object.fromEntries(phase.errorTexts),
  }
}

/** A hook may take long, and an operator longer: the time counts from the first trouble when that came earlier. */
function recoveryMs({ isWell, doneMs, firstTroubleMs, lastTroubleMs }: Phase): number | null {
  if (!isWell) return null
  if (firstTroubleMs === undefined || lastTroubleMs === undefined) return 0
  return Math.round(lastTroubleMs - Math.min(doneMs, firstTroubleMs))
}

function budgetReports(all: readonly PhaseReport[], budget: Budget): readonly BudgetReport[] {
  const phases = all.filter(({ action }) => action !== null)
  const sum = (key: 'lostWrites' | 'errors' | 'usersLoggedOut'): number =>
    phases.reduce((total, phase) => total + phase[key], 0)
  const counts = [
    ['lost writes', budget.lost, sum('lostWrites')],
    ['errors', budget.errors, sum('errors')],
    ['users logged out', budget.loggedOut, sum('usersLoggedOut')],
  ] as const
  const reports: BudgetReport[] = counts.flatMap(([name, limit, value]) =>
    limit === undefined ? [] : [{ name, limit, value, unit: '', isKept: value <= limit }],
  )
  const { recoveryMs: limit } = budget
  if (limit === undefined) return reports
  const slowest = phases.some(phase => phase.recoveryMs === null)
    ? null
    : Math.max(0, ...phases.map(phase => phase.recoveryMs ?? 0))
  return [
    ...reports,
    { name: 'recovery', limit, value: slowest, unit: 'ms', isKept: slowest !== null && slowest <= limit },
  ]
}
