/** A pod of an EndpointSlice, ready unless it says something else. */
export interface SlicePod {
  readonly name: string
  readonly address: string
  readonly uid?: string
  readonly ready?: boolean | null
  readonly serving?: boolean | null
  readonly terminating?: boolean | null
}

export interface SliceOptions {
  readonly service?: string
  readonly addressType?: string
  readonly ports?: readonly object[] | null
}

/** An EndpointSlice of discovery.k8s.io/v1, as the controller of the control plane makes it. */
export interface EndpointSlice {
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly resourceVersion?: string
    readonly [field: string]: unknown
  }
  readonly [field: string]: unknown
}

export function sliceOf(
  name: string,
  pods: readonly SlicePod[],
  {
    service = 'shop',
    addressType = 'IPv4',
    ports = [{ name: 'http', port: 8080, protocol: 'TCP' }],
  }: SliceOptions = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: 'default',
      generateName: `${service}-`,
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': service,
      },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name: service, uid: `uid-of-${service}`, controller: true },
      ],
    },
    addressType,
    ports,
    endpoints: pods.map(endpointOf),
  }
}

function endpointOf({ name, address, uid = `uid-of-${name}`, ...conditions }: SlicePod): object {
  const { ready = true, serving = ready, terminating = false } = conditions
  return {
    addresses: [address],
    conditions: { ready: terminating === true ? false : ready, serving, terminating },
    nodeName: 'node-1',
    zone: 'zone-a',
    targetRef: { kind: 'Pod', namespace: 'default', name, uid },
  }
}
