import type { AdminState } from './backend.ts'

/** The last report of discovery about a member. An operator may have changed the member since. */
export interface Discovered {
  readonly weight: number
  readonly backup: boolean
  readonly state: AdminState
  readonly healthy: boolean
}
