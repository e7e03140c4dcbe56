import { isIP } from 'node:net'
import { type Fields, isFields } from './fields.ts'

/** An EndpointSlice of discovery.k8s.io/v1, as far as it matters here. */
export interface EndpointSlice {
  readonly name: string
  /** `IPv4`, `IPv6` or `FQDN`. */
  readonly addressType: string
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly SliceEndpoint[]
}

export interface SlicePort {
  /** Empty: the only port of a service may have no name. */
  readonly name: string
  /** Undefined: all ports. */
  readonly port: number | undefined
}

export interface SliceEndpoint {
  readonly address: string
  /** The pod; undefined for an endpoint that is none. */
  readonly pod: { readonly name: string; readonly uid: string } | undefined
  /** It passes its readiness probe, whether it terminates or not. */
  readonly serving: boolean
  readonly terminating: boolean
}

/** @throws Error for anything that is no EndpointSlice */
export function parseSlice(value: unknown): EndpointSlice {
  const { name } = metadataOf(value)
  const { addressType, endpoints, ports } = value as Fields
  if (
    typeof name !== 'string' ||
    typeof addressType !== 'string' ||
    !isListOrNothing(endpoints) ||
    !isListOrNothing(ports)
  )
    throw new Error('the API server has sent something that is no EndpointSlice of discovery.k8s.io/v1')
  return {
    name,
    addressType,
    ports: (ports ?? []).flatMap(portOf),
    endpoints: (endpoints ?? []).flatMap(one => endpointOf(one, addressType)),
  }
}

/** @throws Error for anything that has none */
export function metadataOf(value: unknown): Fields {
  const metadata = isFields(value) ? value['metadata'] : undefined
  if (!isFields(metadata)) throw new Error('the API server has sent an object without metadata')
  return metadata
}

function isListOrNothing(value: unknown): value is readonly unknown[] | null | undefined {
  return value === undefined || value === null || Array.isArray(value)
}

/** Ports of TCP, which is the default of a port without a protocol. */
function portOf(value: unknown): SlicePort[] {
  if (!isFields(value) || (value['protocol'] ?? 'TCP') !== 'TCP') return []
  const { name, port } = value
  const isNumber = typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536
  if (!isNumber && port !== undefined && port !== null) return []
  return [{ name: typeof name === 'string' ? name : '', port: isNumber ? port : undefined }]
}

function endpointOf(value: unknown, addressType: string): SliceEndpoint[] {
  if (!isFields(value)) return []
  const { addresses, conditions, targetRef } = value
  // All addresses of an endpoint are one pod, and the first is enough (as kube-proxy has it).
  const address: unknown = Array.isArray(addresses) ? addresses[0] : undefined
  if (typeof address !== 'string' || !isAddress(address, addressType)) return []
  const { ready, serving, terminating } = isFields(conditions) ? conditions : ({} as Fields)
  return [
    {
      address,
      pod: podOf(targetRef),
      // Absent is unknown, and unknown is ready (KEP-1672).
      serving: (serving ?? ready ?? true) !== false,
      terminating: terminating === true,
    },
  ]
}

function isAddress(address: string, addressType: string): boolean {
  return addressType === 'IPv4' ? isIP(address) === 4 : addressType === 'IPv6' && isIP(address) === 6
}

function podOf(targetRef: unknown): SliceEndpoint['pod'] {
  if (!isFields(targetRef)) return undefined
  const { kind, name, uid } = targetRef
  if (kind !== 'Pod' || typeof name !== 'string') return undefined
  return { name, uid: typeof uid === 'string' ? uid : '' }
}
