import type { AdminState } from '../pool/backend.ts'

/** A backend as a source of discovery reports it. */
export interface DiscoveredBackend {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. Sessions are tied to it, so it must mean the same server in every gateway. */
  readonly id: string
  /** `http://host:port` or `https://host:port`. */
  readonly url: string | URL
  /** 0 to 256. @default 1 */
  readonly weight?: number
  /** Takes new sessions only when no other can. @default false */
  readonly backup?: boolean
  /** `drain`: keeps its sessions and takes no new one. `maint`: serves no request. @default 'ready' */
  readonly state?: AdminState
  /** With `state: 'drain'`: after this long the remaining sessions move and tunnels are closed. @default absent: they stay */
  readonly drainDeadlineMs?: number
  /** False: serves no request until the source reports true. @default true */
  readonly healthy?: boolean
}

/** Gets the reports of a source. */
export interface DiscoveryListener {
  /**
   * Takes the complete list: a backend that is not in it leaves the pool. A list with a malformed backend is
   * rejected as a whole, and published on `limpet:discovery-failed`.
   */
  backends(all: readonly DiscoveredBackend[]): void
  /** Takes a failure for `limpet:discovery-failed`. The pool stays as it is. */
  failed(error: Error): void
}

/** Anything that knows the backends of a pool: DNS, Kubernetes, a registry. */
export interface DiscoverySource {
  /** For events and logs, as `'app.internal'`. */
  readonly name: string
  /** Begins to report, now or later, until it is closed. Several pools may subscribe to one source. */
  subscribe(listener: DiscoveryListener): Discovery
}

/** A subscription. */
export interface Discovery {
  /** Ends the reports. The backends that were found stay. Idempotent. */
  close(): void
}

export function isDiscoverySource(value: unknown): value is DiscoverySource {
  return (
    typeof value === 'object' &&
    value !== null &&
    'subscribe' in value &&
    typeof value.subscribe === 'function' &&
    'name' in value &&
    typeof value.name === 'string'
  )
}
