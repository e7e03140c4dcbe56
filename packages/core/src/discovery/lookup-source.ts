import type { DiscoverySettings } from './discovery-options.ts'
import type { DiscoverySource } from './discovery-source.ts'
import type { Lookup } from './lookup.ts'
import { optionsById } from './resolved-backend.ts'

/** Between two lookups, whatever the time to live of the answer; and after the first failure. */
const MIN_DELAY_MS = 1_000

/**
 * A source that looks a name up again and again (HAProxy `resolvers`, nginx `resolve`). A lookup that fails reports no
 * backends, and neither does an answer without a record: both are failures.
 * @param newLookup makes the lookup of one subscription
 */
export function lookupSource(settings: DiscoverySettings, newLookup: () => Lookup): DiscoverySource {
  const { name, protocol, refreshMs } = settings
  return {
    name,
    subscribe(listener) {
      const lookup = newLookup()
      let failures = 0
      let timer: NodeJS.Timeout | undefined
      let isClosed = false

      async function look(): Promise<void> {
        let delayMs: number
        try {
          const { backends, ttlMs } = await lookup.find()
          if (isClosed) return
          listener.backends([...optionsById(protocol, backends).values()])
          failures = 0
          delayMs = Math.max(MIN_DELAY_MS, ttlMs)
        } catch (error) {
          if (isClosed) return
          listener.failed(error as Error)
          delayMs = MIN_DELAY_MS * 2 ** Math.min(failures, 16)
          failures += 1
        }
        // The listener may have closed this.
        if (isClosed) return
        timer = setTimeout(() => void look(), Math.min(delayMs, refreshMs)).unref()
      }

      void look()
      return {
        close() {
          isClosed = true
          clearTimeout(timer)
          lookup.close()
        },
      }
    },
  }
}
