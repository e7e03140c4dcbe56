import { basename } from 'node:path'
import { ConfigError } from '../config/config.ts'
import { problemText } from '../config/problem.ts'
import { UsageError } from '../cli/usage-error.ts'
import { parseSettings } from './arguments.ts'
import { HELP } from './help.ts'
import { Journal } from './journal.ts'
import { EarlyEnd, KillTest } from './kill-test.ts'
import { Operator } from './operator.ts'
import { PRESETS } from './presets.ts'
import { Progress } from './progress.ts'
import { ReportFiles } from './report-files.ts'
import { type Report, reportOf } from './report.ts'
import { tableOf } from './report-table.ts'
import type { Scenario } from './scenario.ts'
import { parseScenario, scenarioText } from './scenario-file.ts'
import type { Settings } from './settings.ts'
import { TargetGuard } from './target.ts'
import type { Terminal } from '../cli/terminal.ts'

const USAGE = 2

/**
 * Runs `limpet kill-test`.
 * @param args behind `kill-test`
 * @returns the exit code: 0 within the budget, 1 above it, 2 when there was no test, 130 or 143 when a signal ended it
 */
export async function runKillTest(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const settings = parseSettings(args)
    if (settings === 'help') {
      terminal.out(HELP)
      return 0
    }
    const text =
      'preset' in settings.source ? PRESETS[settings.source.preset] : scenarioText(settings.source.file)
    const scenario = scenarioOf(text, settings)
    if (settings.print) {
      terminal.out(text)
      return 0
    }
    const target = targetOf(scenario, settings)
    const guard = new TargetGuard(settings.allowedHost)
    await guard.check(target.hostname).catch((error: unknown) => {
      throw new UsageError((error as Error).message, { cause: error })
    })
    const files = new ReportFiles(settings.files, settings.force)
    const report = await tested(scenario, settings, target, guard, terminal)
    terminal.out(tableOf(report))
    files.write(report)
    return report.exitCode
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.error(`limpet kill-test: ${error.message}\nlimpet kill-test --help lists the options\n`)
      return USAGE
    }
    if (!(error instanceof ConfigError)) throw error
    const lines = error.problems.map(problem => `  ${problemText(problem)}\n`)
    terminal.error(`limpet kill-test: the scenario is wrong\n${lines.join('')}`)
    return USAGE
  }
}

async function tested(
  scenario: Scenario,
  settings: Settings,
  target: URL,
  guard: TargetGuard,
  terminal: Terminal,
): Promise<Report> {
  const startedAt = new Date()
  const early = new AbortController()
  const interrupt = (name: NodeJS.Signals): void => {
    // A second one does not wait for the report.
    if (early.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
    early.abort(new EarlyEnd(name === 'SIGINT' ? 'SIGINT' : 'SIGTERM', `interrupted by ${name}`))
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  const tooLong = setTimeout(() => {
    early.abort(new EarlyEnd('too-long', 'the longest duration is over; --max-duration takes another'))
  }, settings.maxDurationMs)
  const journal = new Journal()
  const progress = new Progress(journal, terminal.error)
  const operator = new Operator(process.stdin, text => progress.say(text))
  try {
    const test = new KillTest({
      scenario,
      settings,
      target,
      guard,
      operator,
      journal,
      signal: early.signal,
      onPhase: phase => progress.begin(phase),
      say: text => progress.say(text),
    })
    return reportOf(await test.run(), scenario, settings.budget, target, startedAt)
  } finally {
    clearTimeout(tooLong)
    operator.close()
    progress.stop()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function scenarioOf(text: string, settings: Settings): Scenario {
  const { source, sessions, rate } = settings
  const scenario = parseScenario(text, 'preset' in source ? source.preset : basename(source.file))
  return { ...scenario, sessions: sessions ?? scenario.sessions, rate: rate ?? scenario.rate }
}

function targetOf({ target }: Scenario, { url }: Settings): URL {
  const text = url ?? target
  if (text === undefined) throw new UsageError('the target is missing: pass --url http://127.0.0.1:8080')
  return new URL(text)
}
