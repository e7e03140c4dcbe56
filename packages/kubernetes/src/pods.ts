import type { DiscoveredBackend } from '@limpet/core'
import type { EndpointSlice, SliceEndpoint } from './endpoint-slice.ts'
import type { KubernetesSettings } from './kubernetes-options.ts'
import { SkippedReport } from './skipped-report.ts'

/** As core has it, which sets ids in cookies, headers and metrics. */
const ID = /^[A-Za-z0-9_-]{1,64}$/

/** A pod, from all slices that it is in. */
interface Pod extends Pick<SliceEndpoint, 'serving' | 'terminating'> {
  readonly uid: string
  readonly url: string
}

/** Makes the backends of a pool of the EndpointSlices of a service. */
export class Pods {
  readonly #settings: KubernetesSettings
  readonly #skipped: SkippedReport

  constructor(settings: KubernetesSettings) {
    this.#settings = settings
    this.#skipped = new SkippedReport()
  }

  /** @returns the backends, in the order of their ids, and newly skipped entries */
  of(slices: readonly EndpointSlice[]): {
    readonly backends: readonly DiscoveredBackend[]
    readonly problems: readonly string[]
  } {
    const { service, drainDeadlineMs } = this.#settings
    if (slices.length === 0)
      this.#skipped.add(
        `there is no EndpointSlice of the service ${service}; it takes a Service with a selector`,
      )
    const pods = this.#podsOf(slices)
    const ids = [...pods.keys()].toSorted()
    const backends = ids.flatMap(id => {
      const pod = pods.get(id)
      return pod === undefined ? [] : [backendOf(id, pod, drainDeadlineMs)]
    })
    return { backends, problems: this.#skipped.news() }
  }

  #podsOf(slices: readonly EndpointSlice[]): ReadonlyMap<string, Pod> {
    const type = this.#settings.addressType ?? familyOf(slices)
    const pods = new Map<string, Pod>()
    for (const slice of slices) {
      if (slice.addressType === 'FQDN')
        this.#skipped.add('slices of the address type FQDN are skipped; it takes IPv4 or IPv6', slice.name)
      const port = slice.addressType === type ? this.#portOf(slice) : undefined
      if (port === undefined) continue
      for (const endpoint of slice.endpoints) {
        const { address, pod } = endpoint
        // An endpoint that is no pod has only its address for a name, as with DNS.
        const id = pod?.name ?? `${address.replaceAll(/[.:]/g, '_')}-${port}`
        if (ID.test(id)) {
          const host = type === 'IPv6' ? `[${address}]` : address
          const url = `${this.#settings.protocol}://${host}:${port}`
          const { serving, terminating } = endpoint
          pods.set(id, merged(pods.get(id), { uid: pod?.uid ?? '', url, serving, terminating }))
        } else {
          this.#skipped.add(
            'pods are skipped whose names are no ids; it takes 1 to 64 of A-Z a-z 0-9 _ -',
            id,
          )
        }
      }
    }
    return pods
  }

  /** By the name that the Service gives it, for pods of one service may have it at different numbers. */
  #portOf({ name, ports, endpoints }: EndpointSlice): number | undefined {
    const { port } = this.#settings
    const isNumber = typeof port === 'number'
    const found = ports.filter(one =>
      port === undefined ? true : isNumber ? one.port === port || one.port === undefined : one.name === port,
    )
    const [first] = found
    // A headless service may have none, and then a pod has any.
    if (isNumber && (first !== undefined || ports.length === 0)) return port
    if (found.length === 1 && first?.port !== undefined) return first.port
    if (endpoints.length > 0) this.#skipped.add(`slices are skipped that have ${this.#missing(ports)}`, name)
    return undefined
  }

  #missing(ports: EndpointSlice['ports']): string {
    const { port } = this.#settings
    const names = ports.map(one => one.name || String(one.port ?? 'all')).join(', ')
    if (ports.length === 0) return "no TCP port; it takes the number of the pods' port as option port"
    if (port === undefined) return `several ports; it takes one of ${names} as option port`
    return `no port ${port} of TCP; they have ${names}`
  }
}

/** One of a dual-stack service's two, and the same whatever its slices have: an address that changes is another server. */
function familyOf(slices: readonly EndpointSlice[]): string {
  return slices.some(({ addressType }) => addressType === 'IPv4') ? 'IPv4' : 'IPv6'
}

/**
 * An endpoint may be in two slices while it moves from one to the other, and one of them may be stale. Termination does
 * not end, so one that says it is right; a pod that is created anew under the name of the old one does not terminate yet.
 */
function merged(one: Pod | undefined, other: Pod): Pod {
  if (one === undefined) return other
  if (one.uid !== other.uid) return one.terminating ? other : one
  return {
    ...one,
    serving: one.serving || other.serving,
    terminating: one.terminating || other.terminating,
  }
}

/** The table of the README: the backend that results from the conditions of an endpoint. */
function backendOf(
  id: string,
  { url, serving, terminating }: Pod,
  drainDeadlineMs: number | undefined,
): DiscoveredBackend {
  if (!terminating) return { id, url, state: 'ready', healthy: serving }
  if (!serving) return { id, url, state: 'maint', healthy: false }
  return { id, url, state: 'drain', healthy: true, ...(drainDeadlineMs !== undefined && { drainDeadlineMs }) }
}
