import { randomBytes } from 'node:crypto'
import { MAX_BACKENDS } from './backend-name.ts'
import { HookError, runHook } from './hook.ts'
import type { Journal, Phase } from './journal.ts'
import type { Operator } from './operator.ts'
import { type PlannedAction, plan } from './plan.ts'
import type { Scenario } from './scenario.ts'
import type { Settings } from './settings.ts'
import type { TargetGuard } from './target.ts'
import { Traffic } from './traffic.ts'

/**
 * How a test ended. `scenario`: it failed before any action; `hook`: a hook failed; `idle`: no action was done; `sick`: the
 * target did not recover, so the other backends were left alone; `too-long`: at the longest duration; the others say it.
 */
export type Ending = 'done' | 'scenario' | 'hook' | 'idle' | 'sick' | 'too-long' | 'SIGINT' | 'SIGTERM'

/** The result of a test. */
export interface Outcome {
  readonly ending: Ending
  /** Why it ended early, for the operator; undefined: it did not. */
  readonly problem: string | undefined
  readonly journal: Journal
  readonly durationMs: number
  /** Writes that no step has read since. */
  readonly unread: number
}

export interface KillTestParts {
  readonly scenario: Scenario
  readonly settings: Settings
  readonly target: URL
  readonly guard: TargetGuard
  readonly operator: Operator
  readonly journal: Journal
  /** Aborted with an `EarlyEnd`. */
  readonly signal: AbortSignal
  /** Told of each action that begins, for progress. */
  readonly onPhase: (phase: Phase) => void
  /** Writes whole lines to the operator. */
  readonly say: (text: string) => void
}

/** Ends a test early; the report is of what was seen until then. */
export class EarlyEnd extends Error {
  override readonly name = 'EarlyEnd'
  readonly ending: Ending

  constructor(ending: Ending, message: string) {
    super(message)
    this.ending = ending
  }
}

/** Errors of the scenario that are told. */
const MAX_TOLD = 5

/** Keeps sessions going while backends are killed one after the other. */
export class KillTest {
  readonly #parts: KillTestParts
  readonly #traffic: Traffic

  constructor(parts: KillTestParts) {
    const { scenario, target, guard, journal } = parts
    this.#parts = parts
    const run = `u${randomBytes(3).toString('hex')}`
    this.#traffic = new Traffic({ scenario, target, guard, journal, run })
  }

  async run(): Promise<Outcome> {
    const { journal } = this.#parts
    try {
      await this.#prove()
      await this.#act()
      await this.#traffic.finish(this.#parts.signal)
      return this.#outcome('done', undefined)
    } catch (error) {
      if (error instanceof EarlyEnd) return this.#outcome(error.ending, error.message)
      if (error instanceof HookError) return this.#outcome('hook', error.message)
      throw error
    } finally {
      journal.phase.endMs = journal.nowMs
      await this.#traffic.stop()
    }
  }

  #outcome(ending: Ending, problem: string | undefined): Outcome {
    const { journal } = this.#parts
    const unread = this.#traffic.sessions.reduce((sum, { ledger }) => sum + ledger.unread, 0)
    return { ending, problem, journal, durationMs: journal.nowMs, unread }
  }

  /** The scenario has to pass before anything is done. */
  async #prove(): Promise<void> {
    const { journal, settings, scenario, signal } = this.#parts
    const { phase } = journal
    // A round of all sessions takes as long as its steps at the scenario's rate.
    const steps = (scenario.open.length + scenario.repeat.length) * scenario.sessions
    const untilMs = journal.nowMs + (steps / scenario.rate) * 1000 + settings.giveUpMs
    await this.#traffic.begun(untilMs, signal)
    const isSound =
      phase.firstTroubleMs === undefined &&
      (await this.#traffic.well(phase.startMs, settings.settleMs, untilMs + settings.settleMs, signal))
    if (isSound && phase.firstTroubleMs === undefined) return
    throw new EarlyEnd('scenario', `the scenario fails before anything is killed: ${this.#complaint(phase)}`)
  }

  #complaint({ errorTexts, lost, loggedOut }: Phase): string {
    const texts = [...errorTexts].slice(0, MAX_TOLD).map(([text, count]) => `${text} (${count} times)`)
    if (lost > 0) texts.push(`${lost} writes were not read back`)
    for (const event of this.#parts.journal.events) {
      if (event.what !== 'logged-out' || texts.length > 0) continue
      texts.push(`${event.step}: ${event.text} (${loggedOut.size} users)`)
    }
    if (texts.length === 0) texts.push('some sessions got no response in time')
    const hasCookies = this.#traffic.sessions.some(session => session.hasCookies)
    if (!hasCookies && lost + loggedOut.size > 0)
      texts.push('the target has set no cookie, so it may not know a user again')
    return texts.join('; ')
  }

  async #act(): Promise<void> {
    const { journal, settings, scenario } = this.#parts
    const seen = [...new Set(journal.backends.values())]
    if (seen.length > MAX_BACKENDS)
      throw new EarlyEnd(
        'scenario',
        `the scenario's backend has found ${seen.length} different backends; a capture of a backend finds the same name again`,
      )
    const planned = plan(scenario, settings, seen)
    this.#checkNames(planned.flat())
    let done = 0
    for (const actions of planned) {
      if (!journal.phase.isWell)
        throw new EarlyEnd(
          'sick',
          `users did not recover, so ${actions[0]?.backend ?? 'the rest'} was left alone`,
        )
      for (const one of actions) {
        const answer = await this.#do(one)
        if (answer === 'done') done += 1
        if (answer === 'quit' && done > 0) return
        if (answer === 'quit') throw new EarlyEnd('idle', 'no action was done')
      }
    }
    if (done === 0)
      throw new EarlyEnd('idle', 'no action was done: no hook is for a backend that has answered')
  }

  /** A hook that needs the name of a backend would otherwise run with an empty one: as `docker kill` of nothing. */
  #checkNames(planned: readonly PlannedAction[]): void {
    const unnamed = planned.filter(({ backend, command }) => backend === undefined && command !== undefined)
    const needing = unnamed.find(({ command }) => command?.includes('LIMPET_BACKEND'))
    if (needing !== undefined)
      throw new EarlyEnd(
        'idle',
        `no response names a backend, and the hook of ${needing.action} uses LIMPET_BACKEND; give the scenario a backend, as { header: X-Served-By }, or the names with --backends a,b`,
      )
    if (unnamed.length > 0)
      this.#parts.say('no response names a backend: hooks run once, without LIMPET_BACKEND\n')
  }

  async #do({ action, backend, command }: PlannedAction): Promise<'done' | 'skip' | 'quit'> {
    const { journal, settings, operator, signal, onPhase } = this.#parts
    const phase = journal.begin(action, backend)
    onPhase(phase)
    if (command === undefined) {
      const answer = await operator.ask(action, backend, signal)
      if (answer !== 'done') {
        journal.abandon()
        return answer
      }
    } else {
      await runHook(command, action, backend, settings.hookTimeoutMs, signal)
    }
    phase.doneMs = journal.nowMs
    const untilMs = phase.doneMs + settings.giveUpMs
    phase.isWell = await this.#traffic.well(phase.doneMs, settings.settleMs, untilMs, signal)
    return 'done'
  }
}
