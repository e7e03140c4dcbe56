import type { BudgetReport, PhaseReport, Report } from './report.ts'

const HEADINGS = [
  'action',
  'users on it',
  'affected',
  'errors',
  'moved',
  'lost writes',
  'users with loss',
  'logged out',
  'well after',
  'slowest',
] as const

/** Errors of one action that are shown. */
const MAX_ERRORS = 3

/** The report for a terminal. */
export function tableOf(report: Report): string {
  const rows = [HEADINGS, ...report.phases.map(cellsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const lines = rows.map(row =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
  return [
    `${report.sessions} users of ${report.target}, scenario ${report.scenario}`,
    '',
    ...lines,
    '',
    ...report.phases.flatMap(sentences),
    ...(report.unreadWrites > 0
      ? [`${report.unreadWrites} writes were not read any more before the end.`]
      : []),
    ...(report.phases.some(({ usersMoved }) => usersMoved === null)
      ? ['It is not known which backend answers: the scenario has no backend, or no response has it.']
      : []),
    ...report.budget.map(budgetLine),
    ...(report.problem === null ? [] : [`Ended early: ${report.problem}`]),
    '',
  ].join('\n')
}

function cellsOf(phase: PhaseReport): readonly string[] {
  const isAction = phase.action !== null
  return [
    phase.name,
    isAction ? countText(phase.usersOnBackend) : '-',
    String(phase.usersAffected),
    String(phase.errors),
    countText(phase.usersMoved),
    String(phase.lostWrites),
    String(phase.usersWithLoss),
    String(phase.usersLoggedOut),
    isAction ? recoveryText(phase.recoveryMs) : '-',
    `${phase.slowestMs} ms`,
  ]
}

/** The answer in words, where there is more to say than the row does. */
function sentences(phase: PhaseReport): readonly string[] {
  const elsewhere = phase.usersWithLossElsewhere ?? 0
  const errors = Object.entries(phase.errorTexts).toSorted(([, one], [, other]) => other - one)
  return [
    ...(elsewhere > 0 ? [`${phase.name}: ${elsewhere} of the users with loss were on another backend.`] : []),
    ...errors.slice(0, MAX_ERRORS).map(([text, count]) => `${phase.name}: ${text} (${count} times)`),
    ...(errors.length > MAX_ERRORS
      ? [`${phase.name}: ${errors.length - MAX_ERRORS} more kinds of errors`]
      : []),
  ]
}

export function budgetLine({ name, limit, value, unit, isKept }: BudgetReport): string {
  const found = value === null ? 'did not end' : `${value}${unit === '' ? '' : ` ${unit}`}`
  return `Budget of ${name}: ${found}, at most ${limit}${unit === '' ? '' : ` ${unit}`}: ${isKept ? 'kept' : 'EXCEEDED'}`
}

export function recoveryText(ms: number | null): string {
  return ms === null ? 'not at all' : `${(ms / 1000).toFixed(1)} s`
}

export function countText(count: number | null): string {
  return count === null ? 'unknown' : String(count)
}
