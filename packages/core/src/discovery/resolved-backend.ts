import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { DiscoveredBackend } from './discovery-source.ts'

/** A backend as DNS records describe it. */
export interface ResolvedBackend {
  /** Its name: the address, or the target of an SRV record. */
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

const MAX_ID = 64
const MAX_WEIGHT = 256

/** All that DNS says of a backend. */
type Resolved = Required<Pick<DiscoveredBackend, 'id' | 'url' | 'weight' | 'backup'>>

/**
 * The backend of a resolved one. Its id comes from its host and port alone, so it is the same in every gateway,
 * and after a restart.
 */
export function backendOptions(protocol: string, found: ResolvedBackend): Resolved {
  const { host, address, port, weight, backup } = found
  const at = isIPv6(address) ? `[${address}]` : address
  return { id: idOf(host, port), url: `${protocol}://${at}:${port}`, weight, backup }
}

/**
 * The same of several, by their ids and in the order of these, for answers come in any. Of those with one id (two SRV
 * records of one target) the primary counts, and then the heaviest.
 */
export function optionsById(protocol: string, backends: readonly ResolvedBackend[]): Map<string, Resolved> {
  const all = backends.map(backend => backendOptions(protocol, backend))
  all.sort((a, b) => order(a.id, b.id) || Number(b.backup) - Number(a.backup) || a.weight - b.weight)
  return new Map(all.map(options => [options.id, options]))
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function idOf(host: string, port: number): string {
  const name = host.toLowerCase()
  const readable = name.replaceAll(/[.:]/g, '_')
  const id = `${readable}-${port}`
  // An underscore of its own could be another's dot.
  if (!name.includes('_') && id.length <= MAX_ID && /^[\w-]+$/.test(id)) return id
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16)
  return `${readable.replaceAll(/[^\w-]/g, '').slice(0, 32)}-${digest}-${port}`
}

/**
 * Maps the weights of SRV records, 0 to 65535, to 1 to 256. A record of weight 0 is to have a very small chance
 * (RFC 2782), which is not none. Backups and primaries do not share a choice, so neither makes the others lighter.
 */
function scaleOf(records: readonly ServiceRecord[]): (weight: number) => number {
  const most = Math.max(0, ...records.map(({ weight }) => weight))
  const scale = most > MAX_WEIGHT ? MAX_WEIGHT / most : 1
  return weight => Math.max(1, Math.round(weight * scale))
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
): readonly ResolvedBackend[] {
  const records = targets.map(({ record }) => record)
  const least = Math.min(...records.map(({ priority }) => priority))
  const primaryWeight = scaleOf(records.filter(({ priority }) => priority === least))
  const backupWeight = scaleOf(records.filter(({ priority }) => priority > least))
  return targets.flatMap(({ record, addresses }) => {
    const name = record.name.replace(/\.$/, '')
    const backup = record.priority > least
    const weight = backup ? backupWeight(record.weight) : primaryWeight(record.weight)
    const several = [...new Set(addresses.map(({ address }) => address))]
    return several.map(address => ({
      // A target of several addresses is several backends.
      host: several.length === 1 ? name : `${name}.${address}`,
      address,
      port: record.port,
      weight,
      backup,
    }))
  })
}
