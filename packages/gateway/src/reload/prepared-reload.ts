import type { Changes } from './reload.ts'

/**
 * A reload whose new pools have started, while the old ones still serve. It is to be committed or aborted: the next
 * reload waits for that.
 */
export interface PreparedReload {
  readonly changes: Changes
  /** Serves with the new configuration from here on. */
  commit(): void
  /** Closes the new pools. Nothing has changed. */
  abort(): Promise<void>
}
