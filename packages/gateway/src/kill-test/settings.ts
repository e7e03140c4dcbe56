import type { Action, Hooks } from './scenario.ts'
import type { PresetName } from './presets.ts'

/** Limits that a test must keep; undefined: any number. */
export interface Budget {
  /** Lost writes. */
  readonly lost: number | undefined
  readonly errors: number | undefined
  /** Users that were logged out. */
  readonly loggedOut: number | undefined
  /** Milliseconds until users had no trouble any more, after each action. */
  readonly recoveryMs: number | undefined
}

/** The settings of the command line. Durations in milliseconds. */
export interface Settings {
  readonly source: { readonly file: string } | { readonly preset: PresetName }
  readonly print: boolean
  readonly url: string | undefined
  readonly sessions: number | undefined
  readonly rate: number | undefined
  /** For any backend that has none of its own. */
  readonly hooks: Hooks
  /** Empty: the scenario's, or those that have answered. */
  readonly backends: readonly string[]
  /** Actions that the operator is asked to do. */
  readonly ask: readonly Action[]
  /** Without trouble for this long, users are well. */
  readonly settleMs: number
  /** After it, an action is taken for one that users do not recover from. */
  readonly giveUpMs: number
  readonly maxDurationMs: number
  readonly hookTimeoutMs: number
  readonly budget: Budget
  readonly allowedHost: string | undefined
  /** Files to write, by format. */
  readonly files: Readonly<Partial<Record<ReportFormat, string>>>
  /** Whether reports may overwrite files. */
  readonly force: boolean
}

export type ReportFormat = 'json' | 'junit' | 'html'
