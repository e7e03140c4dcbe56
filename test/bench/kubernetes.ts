import { createHttpProxy } from '@limpet/http-proxy'
import { kubernetes } from '@limpet/kubernetes'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiServer } from '../support/api-server.ts'
import { type EndpointSlice, sliceOf } from '../support/endpoint-slice.ts'
import { type Measured, medianOf } from './measured.ts'

/*
 * How long a change of the pods takes from the API server, over TLS on loopback, until the pool has it.
 */

const SLICES = 10
const PODS = 100
const ROUNDS = 100
/** As long as a report may make the next one wait, and more. */
const PAUSE_MS = 100

export async function benchKubernetes(): Promise<Measured[]> {
  const api = await ApiServer.start()
  for (let slice = 0; slice < SLICES; slice += 1) api.set(podsOf(slice, false))
  const discovery = kubernetes({ service: 'shop', kubeconfig: api.kubeconfig })
  const { affinity, close } = createHttpProxy({ affinity: [], discovery })
  const { pool } = affinity
  while (pool.backends.length < SLICES * PODS || api.watches === 0) await delay(PAUSE_MS)
  const timesMs: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const { promise, resolve } = Promise.withResolvers<number>()
    const unwatch = pool.watch(() => resolve(performance.now()))
    const slice = podsOf(round % SLICES, round % (2 * SLICES) < SLICES)
    const startedMs = performance.now()
    api.set(slice)
    timesMs.push((await promise) - startedMs)
    unwatch()
    await delay(PAUSE_MS)
  }
  close()
  await api.close()
  return [medianOf(`Kubernetes, a change of ${PODS} of ${SLICES * PODS} pods`, timesMs, 20, 'ms')]
}

function podsOf(slice: number, terminating: boolean): EndpointSlice {
  const pods = Array.from({ length: PODS }, (_, index) => ({
    name: `shop-${slice}-${index}`,
    address: `10.0.${slice}.${index}`,
    terminating,
  }))
  return sliceOf(`shop-${slice}`, pods)
}
