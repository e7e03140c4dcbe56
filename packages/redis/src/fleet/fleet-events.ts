import { channel } from 'node:diagnostics_channel'
import type { Command } from './command.ts'

/** On `limpet:fleet-change`: a command that was given at another gateway was taken over, or refused by the pool. */
export interface FleetChangeEvent {
  readonly pool: string
  readonly backend: string
  /** In a word: `added`, `removed`, or the state that is commanded; `weight` where only that is. */
  readonly change: string
  readonly weight: number | undefined
  readonly by: string
  /** When the command was given, in milliseconds since the epoch by the clock of Redis. */
  readonly atMs: number
  /** Why it was not applied; undefined: it was. */
  readonly error: unknown
}

const fleetChange = channel('limpet:fleet-change')

export function publishFleetChange(pool: string, command: Command, error?: unknown): void {
  if (!fleetChange.hasSubscribers) return
  const { id, weight, by, atMs } = command
  fleetChange.publish({
    pool,
    backend: id,
    change: changeOf(command),
    weight,
    by,
    atMs,
    error,
  } satisfies FleetChangeEvent)
}

function changeOf({ removed, state, added, weight }: Command): string {
  if (removed === true) return 'removed'
  if (state !== undefined) return state
  return added === undefined && weight !== undefined ? 'weight' : 'added'
}
