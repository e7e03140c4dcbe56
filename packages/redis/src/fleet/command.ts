import type { AdminState, BackendOptions } from '@limpet/core'
import type { Sealed } from './seal.ts'

/** The newest command of an operator about one backend, with all that is commanded of it. */
export interface Command {
  /** The backend's id. */
  readonly id: string
  /** Absent: as each gateway has it configured. */
  readonly state?: AdminState
  readonly weight?: number
  /** When a drain ends at the latest, in milliseconds since the epoch by the clock of Redis. */
  readonly deadlineAtMs?: number
  /** From then on the sessions that are left move over this time, in milliseconds. */
  readonly spreadMs?: number
  /** A backend that an operator has added. */
  readonly added?: AddedBackend
  /** An operator has taken it out. */
  readonly removed?: true
  /** The origin of the command, for logs. */
  readonly by: string
  /** When, in milliseconds since the epoch by the clock of Redis. */
  readonly atMs: number
  /** Counts the commands about this backend. */
  readonly rev: number
  /** The gateway that it was given at, as a random word: gateways of one host have the same `by`. */
  readonly origin: string
}

export type AddedBackend = Omit<BackendOptions, 'id' | 'url'> & { readonly url: string }

/** Of two commands in the same millisecond all gateways choose the same. */
export function isNewer(one: Command, other: Command | undefined): boolean {
  if (other === undefined || one.atMs !== other.atMs)
    return one.atMs > (other?.atMs ?? Number.NEGATIVE_INFINITY)
  return one.rev === other.rev ? one.origin > other.origin : one.rev > other.rev
}

const STATES: readonly unknown[] = ['ready', 'drain', 'maint'] satisfies AdminState[]
const MAX_BY = 128

/** Commands in Redis. */
export const SEALED_COMMANDS: Sealed<Command> = {
  purpose: 'commands',
  maxLength: 8_192,
  parse: parseCommand,
}

/** The command that `value` is, or undefined for anything else. The pool checks the rest when it is applied. */
export function parseCommand(value: unknown): Command | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, by, origin, atMs, rev, state, weight, deadlineAtMs, spreadMs, added, removed } =
    value as Record<string, unknown>
  const isWhole =
    typeof id === 'string' &&
    typeof by === 'string' &&
    by.length <= MAX_BY &&
    typeof origin === 'string' &&
    Number.isSafeInteger(atMs) &&
    Number.isSafeInteger(rev) &&
    (state === undefined || STATES.includes(state)) &&
    (weight === undefined || Number.isSafeInteger(weight)) &&
    (deadlineAtMs === undefined || Number.isSafeInteger(deadlineAtMs)) &&
    (spreadMs === undefined || Number.isSafeInteger(spreadMs)) &&
    (added === undefined || (typeof added === 'object' && added !== null)) &&
    (removed === undefined || removed === true)
  return isWhole ? (value as Command) : undefined
}
