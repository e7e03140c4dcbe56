import type { ResolvedBackend } from './resolved-backend.ts'

/** The result of a lookup, and how long it holds. */
export interface Found {
  readonly backends: readonly ResolvedBackend[]
  readonly ttlMs: number
}

/** Looks a name up, again and again. */
export interface Lookup {
  /** Rejects when there is no answer, or an answer without a record. */
  find(): Promise<Found>
  /** Lookups under way reject. */
  close(): void
}
