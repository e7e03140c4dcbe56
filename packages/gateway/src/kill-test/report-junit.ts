import { escaped } from './escape.ts'
import type { PhaseReport, Report } from './report.ts'
import { budgetLine, recoveryText } from './report-table.ts'

interface TestCase {
  readonly name: string
  readonly seconds: number
  readonly failure: string | undefined
  readonly output: string
}

/** The report as JUnit XML: a test case for each action, for each budget, and for the end of the test. */
export function junitOf(report: Report): string {
  const cases: readonly TestCase[] = [
    ...report.phases.filter(({ action }) => action !== null).map(actionCase),
    ...report.budget.map(budget => ({
      name: `budget of ${budget.name}`,
      seconds: 0,
      failure: budget.isKept ? undefined : budgetLine(budget),
      output: budgetLine(budget),
    })),
    { name: 'the test ran to its end', seconds: 0, failure: report.problem ?? undefined, output: '' },
  ]
  const failures = cases.filter(({ failure }) => failure !== undefined).length
  const attributes = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0" time="${seconds(report.durationMs)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes}>`,
    `  <testsuite name="limpet kill-test ${escaped(report.scenario)}" timestamp="${report.startedAt}" hostname="${escaped(new URL(report.target).host)}" ${attributes}>`,
    ...cases.map(caseText),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function actionCase(phase: PhaseReport): TestCase {
  const { name, startMs, endMs, errors, lostWrites, usersLoggedOut, recoveryMs } = phase
  return {
    name,
    seconds: (endMs - startMs) / 1000,
    failure: recoveryMs === null ? 'users did not recover' : undefined,
    output: `errors ${errors}, lost writes ${lostWrites}, users logged out ${usersLoggedOut}, well after ${recoveryText(recoveryMs)}`,
  }
}

function caseText({ name, seconds: time, failure, output }: TestCase): string {
  const failed = failure === undefined ? '' : `<failure message="${escaped(failure)}"/>`
  const said = output === '' ? '' : `<system-out>${escaped(output)}</system-out>`
  return `    <testcase classname="limpet.kill-test" name="${escaped(name)}" time="${time.toFixed(3)}">${failed}${said}</testcase>`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
