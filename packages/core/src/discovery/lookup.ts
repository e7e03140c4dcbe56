import type { DiscoveredBackend } from './discovered-backend.ts'

/** What a look-up has found, and how long it is true. */
export interface Found {
  readonly backends: readonly DiscoveredBackend[]
  readonly ttlMs: number
}

/** Looks a name up, again and again. */
export interface Lookup {
  /** Fails when there is no answer, or none with a record. */
  find(): Promise<Found>
  /** What is under way fails. */
  close(): void
}
