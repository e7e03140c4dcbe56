import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { BackendOptions } from '../backend.ts'

/** A backend as DNS tells it. */
export interface DiscoveredBackend {
  /** What it is called by: its address, or the target of an SRV record. */
  readonly host: string
  readonly address: string
  readonly port: number
  /** As backends have it. */
  readonly weight: number
  readonly backup: boolean
}

/** An SRV record (RFC 2782). */
export interface ServiceRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

const LONGEST_ID = 64
const MOST_WEIGHT = 256

/**
 * The options of a discovered backend. Its id comes from its host and port alone, so it is the same in every gateway,
 * and after a restart.
 */
export function backendOptions(
  protocol: string,
  found: DiscoveredBackend,
): Required<Omit<BackendOptions, 'state' | 'maxInFlight'>> {
  const { host, address, port, weight, backup } = found
  const at = isIPv6(address) ? `[${address}]` : address
  return { id: idOf(host, port), url: `${protocol}://${at}:${port}`, weight, backup }
}

function idOf(host: string, port: number): string {
  // Neither stands in an address or in the name of a host, so no two become one.
  const id = `${host.toLowerCase().replaceAll(/[.:]/g, '_')}-${port}`
  if (id.length <= LONGEST_ID && /^[\w-]+$/.test(id)) return id
  const digest = createHash('sha256').update(host.toLowerCase()).digest('hex').slice(0, 16)
  const readable = id.replaceAll(/[^\w-]/g, '').slice(0, 32)
  return `${readable}-${digest}-${port}`
}

/**
 * What the weights of SRV records come to: 0 to 65535 there, 1 to 256 here. Those of 0 are to have a very small chance
 * (RFC 2782), which is not none.
 */
function backendWeights(weights: readonly number[]): readonly number[] {
  const most = Math.max(0, ...weights)
  // When all are 0, they are equals.
  if (most === 0) return weights.map(() => 1)
  const scale = most > MOST_WEIGHT ? MOST_WEIGHT / most : 1
  return weights.map(weight => Math.max(1, Math.round(weight * scale)))
}

/**
 * The backends of SRV records and the addresses of their targets. The records with the least priority are primaries, and
 * the rest backups (as nginx has it).
 */
export function serviceBackends(
  targets: readonly {
    readonly record: ServiceRecord
    readonly addresses: readonly { readonly address: string }[]
  }[],
): readonly DiscoveredBackend[] {
  const least = Math.min(...targets.map(({ record }) => record.priority))
  const weights = backendWeights(targets.map(({ record }) => record.weight))
  return targets.flatMap(({ record: { name, port, priority }, addresses }, index) =>
    addresses.map(({ address }) => ({
      // A target of several addresses is several backends.
      host: addresses.length === 1 ? name.replace(/\.$/, '') : `${name.replace(/\.$/, '')}.${address}`,
      address,
      port,
      weight: weights[index] ?? 1,
      backup: priority > least,
    })),
  )
}
