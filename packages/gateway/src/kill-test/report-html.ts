import { escaped } from './escape.ts'
import { lanesOf } from './report-lanes.ts'
import type { PhaseReport, Report } from './report.ts'
import { timelineOf } from './report-timeline.ts'
import { budgetLine, countText, recoveryText } from './report-table.ts'

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; color: #212529; margin: 2rem auto; max-width: 64rem; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { border-bottom: 1px solid #dee2e6; padding: .3rem .6rem; text-align: right }
  th:first-child, td:first-child { text-align: left }
  svg { width: 100%; height: auto; background: #f8f9fa }
  svg text { font: 11px system-ui, sans-serif }
  .bad { color: #c92a2a; font-weight: 600 }
  code { overflow-wrap: anywhere }
`

/** The report as one page that needs nothing else: no script, no font, no image from elsewhere. */
export function htmlOf(report: Report): string {
  const heading = `Kill test of ${report.target}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(heading)}</title>
<style>${STYLE}</style>
<h1>${escaped(heading)}</h1>
<p>${report.sessions} users, scenario ${escaped(report.scenario)}, ${escaped(report.startedAt)}, ${(report.durationMs / 1000).toFixed(1)} s.</p>
${report.problem === null ? '' : `<p class="bad">Ended early: ${escaped(report.problem)}</p>`}
<h2>What users saw</h2>
<table>
<tr><th>action<th>users on it<th>affected<th>errors<th>moved<th>lost writes<th>users with loss<th>logged out<th>well after<th>slowest</tr>
${report.phases.map(rowOf).join('\n')}
</table>
${report.budget.map(budget => `<p${budget.isKept ? '' : ' class="bad"'}>${escaped(budgetLine(budget))}</p>`).join('\n')}
${report.unreadWrites > 0 ? `<p>${report.unreadWrites} writes were not read any more before the end.</p>` : ''}
<h2>Timeline</h2>
<p>Steps of each second: good ones, <span class="bad">errors and lost writes</span>.</p>
${timelineOf(report)}
${lanesOf(report)}
<h2>Errors</h2>
${errorsOf(report.phases)}
</html>
`
}

function rowOf(phase: PhaseReport): string {
  const cells = [
    escaped(phase.name),
    phase.action === null ? '-' : countText(phase.usersOnBackend),
    phase.usersAffected,
    phase.errors,
    countText(phase.usersMoved),
    phase.lostWrites,
    phase.usersWithLoss,
    phase.usersLoggedOut,
    phase.action === null ? '-' : recoveryText(phase.recoveryMs),
    `${phase.slowestMs} ms`,
  ]
  return `<tr>${cells.map(cell => `<td>${cell}`).join('')}</tr>`
}

function errorsOf(phases: readonly PhaseReport[]): string {
  const items = phases.flatMap(({ name, errorTexts }) =>
    Object.entries(errorTexts).map(
      ([text, count]) => `<li>${escaped(name)}: <code>${escaped(text)}</code> (${count} times)</li>`,
    ),
  )
  return items.length === 0 ? '<p>None.</p>' : `<ul>\n${items.join('\n')}\n</ul>`
}
