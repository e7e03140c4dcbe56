import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiscoveryFailedEvent } from '@limpet/core'
import { createHttpProxy, type HttpProxy } from '@limpet/http-proxy'
import { kubernetes, type KubernetesOptions } from '@limpet/kubernetes'
import { onTestFinished } from 'vitest'
import { ApiServer } from '../support/api-server.ts'
import type { SlicePod } from '../support/endpoint-slice.ts'

/** Pods of a service, as a scripted API server lists and streams them over TLS. */
export async function apiServer(): Promise<ApiServer> {
  const api = await ApiServer.start()
  onTestFinished(() => api.close())
  return api
}

export interface Following {
  readonly proxy: HttpProxy
  readonly rows: () => readonly string[]
  readonly failures: string[]
}

export function follow(api: ApiServer, options: Partial<KubernetesOptions> = {}): Following {
  const failures: string[] = []
  const note = (event: unknown): void => void failures.push(String((event as DiscoveryFailedEvent).error))
  subscribe('limpet:discovery-failed', note)
  onTestFinished(() => void unsubscribe('limpet:discovery-failed', note))
  const source = kubernetes({
    service: 'shop',
    kubeconfig: api.kubeconfig,
    requestTimeout: '1s',
    ...options,
  })
  const proxy = createHttpProxy({ affinity: [], discovery: source })
  onTestFinished(() => proxy.close())
  const rows = (): string[] =>
    proxy.affinity.pool.backends.map(
      ({ backend, state, healthy }) =>
        `${backend.id} ${backend.url.host} ${state}${healthy ? '' : ' unhealthy'}`,
    )
  return { proxy, rows, failures }
}

export const pod = (number: number, more: Partial<SlicePod> = {}): SlicePod => ({
  name: `shop-${number}`,
  address: `10.0.0.${number}`,
  ...more,
})

export const row = (number: number, rest = 'ready'): string => `shop-${number} 10.0.0.${number}:8080 ${rest}`
