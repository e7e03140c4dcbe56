import type { Action } from './scenario.ts'
import type { FailureKind } from './step-failure.ts'

/** Something that a user notices, or a session that another backend answers. Times are from the start of the test. */
export type JournalEvent = { readonly atMs: number; readonly session: number } & (
  | { readonly what: 'error'; readonly kind: FailureKind; readonly step: string; readonly text: string }
  | { readonly what: 'lost'; readonly step: string; readonly count: number }
  | { readonly what: 'logged-out'; readonly step: string; readonly text: string }
  | { readonly what: 'moved'; readonly from: string | undefined; readonly to: string }
)

/** The time of one action, until the next one; the first is the time before all of them. */
export interface Phase {
  readonly action: Action | undefined
  /** Undefined when it is not known which backend it was. */
  readonly backend: string | undefined
  readonly startMs: number
  /** When the action was done. */
  doneMs: number
  endMs: number
  /** Sessions whose last response was from the backend, when the action began. */
  readonly users: ReadonlySet<number>
  steps: number
  errors: number
  /** Errors by their text. */
  readonly errorTexts: Map<string, number>
  readonly failed: Set<number>
  readonly moved: Set<number>
  lost: number
  readonly losers: Set<number>
  readonly loggedOut: Set<number>
  firstTroubleMs: number | undefined
  lastTroubleMs: number | undefined
  slowestMs: number
  slowestStep: string
  /** False: the target was still in trouble when the phase was given up. */
  isWell: boolean
}

/** Steps of one second. */
export interface Second {
  steps: number
  errors: number
  lost: number
}

/** Events and texts that are remembered; counts go on. */
const MAX_EVENTS = 50_000
const MAX_TEXTS = 50

/** All that happens in a test, as it happens. */
export class Journal {
  readonly events: JournalEvent[] = []
  readonly phases: Phase[] = []
  readonly seconds: Second[] = []
  readonly #originMs = performance.now()
  /** By session: the backend that answered last. */
  readonly backends = new Map<number, string>()

  constructor() {
    this.begin(undefined, undefined)
  }

  /** Milliseconds since the test began. */
  get nowMs(): number {
    return performance.now() - this.#originMs
  }

  get phase(): Phase {
    const phase = this.phases.at(-1)
    if (phase === undefined) throw new Error('the journal has no phase')
    return phase
  }

  /** Ends the phase before it. */
  begin(action: Action | undefined, backend: string | undefined): Phase {
    const startMs = this.nowMs
    const before = this.phases.at(-1)
    if (before !== undefined) before.endMs = startMs
    const users = [...this.backends].filter(([, name]) => name === backend).map(([session]) => session)
    const phase: Phase = {
      action,
      backend,
      startMs,
      doneMs: startMs,
      endMs: startMs,
      users: new Set(users),
      steps: 0,
      errors: 0,
      errorTexts: new Map(),
      failed: new Set(),
      moved: new Set(),
      lost: 0,
      losers: new Set(),
      loggedOut: new Set(),
      firstTroubleMs: undefined,
      lastTroubleMs: undefined,
      slowestMs: 0,
      slowestStep: '',
      isWell: true,
    }
    this.phases.push(phase)
    return phase
  }

  /** The action was not done: what was seen since counts for the phase before it. */
  abandon(): void {
    const last = this.phases.pop()
    const { phase } = this
    if (last === undefined) return
    phase.steps += last.steps
    phase.errors += last.errors
    phase.lost += last.lost
    for (const [text, count] of last.errorTexts)
      phase.errorTexts.set(text, (phase.errorTexts.get(text) ?? 0) + count)
    for (const key of ['failed', 'moved', 'losers', 'loggedOut'] as const)
      for (const session of last[key]) phase[key].add(session)
    phase.firstTroubleMs ??= last.firstTroubleMs
    phase.lastTroubleMs = last.lastTroubleMs ?? phase.lastTroubleMs
    if (last.slowestMs <= phase.slowestMs) return
    phase.slowestMs = last.slowestMs
    phase.slowestStep = last.slowestStep
  }

  /** A step has ended, well or not. */
  stepped(step: string, tookMs: number): void {
    const { phase } = this
    phase.steps += 1
    this.#second.steps += 1
    if (tookMs <= phase.slowestMs) return
    phase.slowestMs = tookMs
    phase.slowestStep = step
  }

  errored(session: number, step: string, kind: FailureKind, text: string): void {
    const { phase } = this
    phase.errors += 1
    this.#second.errors += 1
    phase.failed.add(session)
    const line = `${step}: ${text}`
    if (phase.errorTexts.has(line) || phase.errorTexts.size < MAX_TEXTS)
      phase.errorTexts.set(line, (phase.errorTexts.get(line) ?? 0) + 1)
    this.#trouble({ atMs: this.nowMs, session, what: 'error', kind, step, text })
  }

  lost(session: number, step: string, count: number): void {
    const { phase } = this
    phase.lost += count
    this.#second.lost += count
    phase.losers.add(session)
    this.#trouble({ atMs: this.nowMs, session, what: 'lost', step, count })
  }

  loggedOut(session: number, step: string, text: string): void {
    this.phase.loggedOut.add(session)
    this.#trouble({ atMs: this.nowMs, session, what: 'logged-out', step, text })
  }

  /** A response has said which backend it is from. */
  responded(session: number, backend: string): void {
    const from = this.backends.get(session)
    if (from === backend) return
    this.backends.set(session, backend)
    if (from !== undefined) this.phase.moved.add(session)
    this.#note({ atMs: this.nowMs, session, what: 'moved', from, to: backend })
  }

  get #second(): Second {
    const index = Math.floor(this.nowMs / 1000)
    while (this.seconds.length <= index) this.seconds.push({ steps: 0, errors: 0, lost: 0 })
    return this.seconds[index] ?? { steps: 0, errors: 0, lost: 0 }
  }

  #trouble(event: JournalEvent): void {
    const { phase } = this
    phase.firstTroubleMs ??= event.atMs
    phase.lastTroubleMs = event.atMs
    this.#note(event)
  }

  #note(event: JournalEvent): void {
    if (this.events.length < MAX_EVENTS) this.events.push(event)
  }
}
