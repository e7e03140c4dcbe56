import type { CheckedState } from '@limpet/core'

/** The result of the checks of one backend. */
export interface BackendCheck extends CheckedState {
  readonly id: string
  /** A backend of the same id and another address is another. */
  readonly url: string
  /** It has left the pool. */
  readonly isGone: boolean
}

/** A backend, as the key of a map. */
export function backendKey({ id, url }: Pick<BackendCheck, 'id' | 'url'>): string {
  return `${id} ${url}`
}

/** From a worker to its parent, about health checks. */
export type ChecksFromWorker =
  /** It serves a pool whose backends are checked. */
  | { readonly what: 'open'; readonly pool: string }
  /** It serves the pool no more, or no checks of it. */
  | { readonly what: 'close'; readonly pool: string }
  | { readonly what: 'results'; readonly pool: string; readonly results: readonly BackendCheck[] }
  /** It is alive and not stalled. */
  | { readonly what: 'beat' }

/** From the parent to a worker. */
export type ChecksFromParent =
  | { readonly what: 'results'; readonly pool: string; readonly results: readonly BackendCheck[] }
  /** Whether the worker is to make the checks of the pool. The results that are known have been sent. */
  | { readonly what: 'duty'; readonly pool: string; readonly isOn: boolean }

/** Between two messages that say that a worker is not stalled. */
export const BEAT_MS = 500
