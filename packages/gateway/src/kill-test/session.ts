import { backendName } from './backend-name.ts'
import { valuesOf } from './capture.ts'
import { expectReply } from './expectation.ts'
import { askStep } from './http-step.ts'
import type { Journal } from './journal.ts'
import { Ledger } from './ledger.ts'
import type { Scenario, Step } from './scenario.ts'
import { failureOf, StepFailure } from './step-failure.ts'
import type { TargetGuard } from './target.ts'
import { Tunnels } from './tunnels.ts'
import { UserAgent } from './user-agent.ts'

/** State that all sessions of a test share. */
export interface Stage {
  readonly scenario: Scenario
  readonly target: URL
  readonly guard: TargetGuard
  readonly journal: Journal
  /** Part of the names of sessions and values, so that two runs do not meet in one application. */
  readonly run: string
}

/** One user: cookies, variables, and what was written. */
export class Session {
  readonly ledger = new Ledger()
  /** When the last round began in which every step was good; undefined before there is one. */
  goodRoundMs: number | undefined
  readonly #stage: Stage
  readonly #index: number
  readonly #agent: UserAgent
  readonly #tunnels: Tunnels
  readonly #variables: Map<string, string>
  #isOpen = false
  #round = 0
  #uniques = 0

  constructor(stage: Stage, index: number) {
    const { scenario, guard, journal, run } = stage
    this.#stage = stage
    this.#index = index
    const { localAddresses } = scenario
    this.#agent = new UserAgent(guard, scenario.redirects, localAddresses[index % localAddresses.length])
    this.#tunnels = new Tunnels(guard, (path, code) =>
      journal.errored(index, `WEBSOCKET ${path}`, 'connection', `WebSocket closed with ${code}`),
    )
    this.#variables = new Map([
      ['session', `${run}-${index}`],
      ['index', String(index)],
    ])
  }

  get hasCookies(): boolean {
    return this.#agent.jar.serializeSync()?.cookies.length !== 0
  }

  /**
   * Opens the session where that is needed, and does each step of the scenario once. A failed step ends the round: a user
   * begins again, too.
   * @param pause is awaited before each step
   */
  async round(pause: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { scenario, journal } = this.#stage
    const startMs = journal.nowMs
    this.#round += 1
    this.#variables.set('round', String(this.#round))
    for (const step of this.#isOpen ? [] : scenario.open) {
      await pause()
      if (!(await this.#attempt(step, signal, false))) return
    }
    this.#isOpen = true
    for (const step of scenario.repeat) {
      await pause()
      if (!(await this.#attempt(step, signal, scenario.open.length > 0))) return
    }
    this.goodRoundMs = startMs
  }

  async close(): Promise<void> {
    this.#tunnels.close()
    await this.#agent.close()
  }

  /** @returns whether the step was good */
  async #attempt(step: Step, signal: AbortSignal, canBeLoggedOut: boolean): Promise<boolean> {
    const { journal } = this.#stage
    const startMs = journal.nowMs
    try {
      await this.#do(step, AbortSignal.any([signal, AbortSignal.timeout(step.timeoutMs)]))
      journal.stepped(step.label, journal.nowMs - startMs)
      return true
    } catch (error) {
      // The test has ended in the middle of the step.
      if (signal.aborted) return false
      const { kind, message } = failureOf(error)
      journal.stepped(step.label, journal.nowMs - startMs)
      if (kind === 'unexpected' && canBeLoggedOut) {
        this.#isOpen = false
        journal.loggedOut(this.#index, step.label, message)
      } else {
        journal.errored(this.#index, step.label, kind, message)
      }
      return false
    }
  }

  async #do(step: Step, signal: AbortSignal): Promise<void> {
    const { scenario, target, journal, run } = this.#stage
    const variables = this.#variables
    this.#uniques += 1
    variables.set('unique', `${run}-${this.#index}-${this.#uniques}`)
    const reply =
      step.method === 'WEBSOCKET'
        ? await this.#tunnels.exchange(step, target, this.#agent, variables, signal)
        : await askStep(step, target, this.#agent, variables, signal)
    const [value] = scenario.backend === undefined ? [] : valuesOf(scenario.backend, reply)
    const backend = backendName(value)
    if (backend !== undefined) journal.responded(this.#index, backend)
    expectReply(step.expect, reply, variables)
    for (const [name, capture] of step.captures) {
      const [found] = valuesOf(capture, reply)
      if (found === undefined) throw new StepFailure('unexpected', `nothing to capture as ${name}`)
      variables.set(name, found)
    }
    const lost = this.#compare(step, text => valuesOf(text, reply))
    if (lost > 0) journal.lost(this.#index, step.label, lost)
    if (step.writes !== undefined) this.ledger.wrote(step.writes.render(variables))
  }

  /** @returns how much of what was written is not there */
  #compare(
    { reads, counts }: Step,
    valuesIn: (capture: NonNullable<Step['reads']>) => readonly string[],
  ): number {
    const lost = reads === undefined ? 0 : this.ledger.read(valuesIn(reads))
    if (counts === undefined) return lost
    const [text] = valuesIn(counts)
    const count = Number(text)
    if (text === undefined || !Number.isFinite(count))
      throw new StepFailure('unexpected', `no number to count: ${text ?? 'nothing'}`)
    return lost + this.ledger.counted(count)
  }
}
