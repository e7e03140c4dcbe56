import type { SessionBatch } from './session-change.ts'

/** From a worker to its parent, about the learned sessions of one table, or about a round of questions. */
export type FromWorker =
  | { readonly what: 'open'; readonly table: string; readonly maxEntries: number | undefined }
  | {
      readonly what: 'changes'
      readonly table: string
      readonly number: number
      readonly batch: SessionBatch
    }
  /** `hashes`: sessions that the worker does not know. */
  | { readonly what: 'ask'; readonly table: string; readonly hashes: string }
  /** All changes from before the round have been sent. */
  | { readonly what: 'passed'; readonly round: number }

/** From the parent to a worker. */
export type FromParent =
  | {
      readonly what: 'changes'
      readonly table: string
      /** The last of the worker's own batches that the parent has taken: before the changes of this message. */
      readonly taken: number
      readonly batch: SessionBatch
      /** Hashes of the sessions that the worker has asked for, and that no process knows. */
      readonly unknown: string
    }
  /** All sessions of the table have been sent. */
  | { readonly what: 'loaded'; readonly table: string }
  /** Send all changes, then `passed`. */
  | { readonly what: 'pass'; readonly round: number }
