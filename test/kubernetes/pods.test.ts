import { describe, expect, test } from 'vitest'
import { type SlicePod, sliceOf } from '../support/endpoint-slice.ts'
import { apiServer, follow, pod, row } from './discovered-pods.ts'

describe('the pods of a service', () => {
  test('come and go, as their slices say', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1), pod(2)]), sliceOf('other-a', [pod(9)], { service: 'other' }))
    const { rows, failures } = follow(api)
    await expect.poll(rows).toEqual([row(1), row(2)])
    await expect.poll(() => api.watches).toBe(1)
    // Scale up, into a slice of its own, and down.
    api.set(sliceOf('shop-b', [pod(3)]))
    await expect.poll(rows).toEqual([row(1), row(2), row(3)])
    api.set(sliceOf('shop-a', [pod(2)]))
    await expect.poll(rows).toEqual([row(2), row(3)])
    api.delete('shop-a')
    await expect.poll(rows).toEqual([row(3)])
    api.set(sliceOf('shop-b', []))
    await expect.poll(rows).toEqual([])
    expect(api.requests.map(({ what }) => what)).toEqual(['list', 'watch'])
    expect(failures).toEqual([])
  })

  test.each<[string, Partial<SlicePod>, string]>([
    ['ready', { ready: true }, 'ready'],
    ['of unknown conditions', { ready: null, serving: null, terminating: null }, 'ready'],
    ['not ready', { ready: false }, 'ready unhealthy'],
    ['terminating and serving', { serving: true, terminating: true }, 'drain'],
    ['terminating and not serving', { ready: false, serving: false, terminating: true }, 'maint unhealthy'],
  ])('that are %s', async (_what, conditions, expected) => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1, conditions)]))
    const { rows } = follow(api)
    await expect.poll(rows).toEqual([row(1, expected)])
  })

  test('go through a rolling deploy: a new one comes, an old one drains, stops to serve, and is gone', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1), pod(2)]))
    const { rows, proxy } = follow(api)
    await expect.poll(rows).toEqual([row(1), row(2)])
    const { pool } = proxy.affinity
    const newIds = (): string[] => pool.candidates.map(({ backend }) => backend.id)
    api.set(sliceOf('shop-a', [pod(1), pod(2), pod(3, { ready: false })]))
    await expect.poll(rows).toEqual([row(1), row(2), row(3, 'ready unhealthy')])
    api.set(sliceOf('shop-a', [pod(1), pod(2), pod(3)]))
    await expect.poll(newIds).toEqual(['shop-1', 'shop-2', 'shop-3'])
    api.set(sliceOf('shop-a', [pod(1, { terminating: true }), pod(2), pod(3)]))
    await expect.poll(rows).toEqual([row(1, 'drain'), row(2), row(3)])
    expect(newIds()).toEqual(['shop-2', 'shop-3'])
    expect(pool.find('shop-1')?.isUsable).toBe(true)
    api.set(sliceOf('shop-a', [pod(1, { ready: false, terminating: true }), pod(2), pod(3)]))
    await expect.poll(rows).toEqual([row(1, 'maint unhealthy'), row(2), row(3)])
    api.set(sliceOf('shop-a', [pod(2), pod(3)]))
    await expect.poll(rows).toEqual([row(2), row(3)])
  })

  test('drain until the deadline at most', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1), pod(2)]))
    const { rows } = follow(api, { drainDeadline: '50ms' })
    await expect.poll(rows).toEqual([row(1), row(2)])
    api.set(sliceOf('shop-a', [pod(1, { terminating: true }), pod(2)]))
    await expect.poll(rows).toEqual([row(1, 'maint'), row(2)])
  })

  test('stay where an operator has put them', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1), pod(2)]))
    const { rows, proxy } = follow(api)
    await expect.poll(rows).toEqual([row(1), row(2)])
    proxy.affinity.pool.setState('shop-1', 'maint')
    api.set(sliceOf('shop-a', [pod(1, { terminating: true }), pod(2, { terminating: true })]))
    await expect.poll(rows).toEqual([row(1, 'maint'), row(2, 'drain')])
  })

  test('keep their sessions at the name of a StatefulSet, whatever address it has', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1, { name: 'web-0' })]))
    const { rows, proxy } = follow(api)
    await expect.poll(rows).toEqual(['web-0 10.0.0.1:8080 ready'])
    const before = proxy.affinity.pool.find('web-0')
    api.set(sliceOf('shop-a', [pod(7, { name: 'web-0', uid: 'another' })]))
    await expect.poll(rows).toEqual(['web-0 10.0.0.7:8080 ready'])
    expect(proxy.affinity.pool.find('web-0')).not.toBe(before)
  })
})

describe('several slices', () => {
  test('split and merge without a pod that leaves', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1), pod(2)]))
    const { rows, proxy } = follow(api)
    await expect.poll(rows).toEqual([row(1), row(2)])
    await expect.poll(() => api.watches).toBe(1)
    const seen: string[][] = []
    const { pool } = proxy.affinity
    pool.watch(() => seen.push(pool.backends.map(({ backend }) => backend.id)))
    api.set(sliceOf('shop-b', [pod(2)]))
    api.set(sliceOf('shop-a', [pod(1)]))
    api.set(sliceOf('shop-a', [pod(1), pod(2)]))
    api.delete('shop-b')
    api.set(sliceOf('shop-c', [pod(3)]))
    await expect.poll(rows).toEqual([row(1), row(2), row(3)])
    expect(seen).toEqual([['shop-1', 'shop-2', 'shop-3']])
  })

  test.each([
    ['terminates, when one of the two says so', 'same', 'drain'],
    ['is the new one, when the old one terminates under its name', 'another', 'ready'],
  ])('a pod in two of them %s', async (_what, uid, expected) => {
    const api = await apiServer()
    api.set(
      sliceOf('shop-a', [pod(1, { uid: 'same', terminating: true })]),
      sliceOf('shop-b', [pod(1, { uid })]),
    )
    const { rows } = follow(api)
    await expect.poll(rows).toEqual([row(1, expected)])
  })

  test('of a dual-stack service are one family', async () => {
    const api = await apiServer()
    const six = { addressType: 'IPv6' }
    api.set(
      sliceOf('shop-6', [pod(1, { address: 'fd00::1' }), pod(2, { address: 'fd00::2' })], six),
      sliceOf('shop-4', [pod(1), pod(2)]),
    )
    const byDefault = follow(api)
    const chosen = follow(api, { addressType: 'IPv6' })
    await expect.poll(byDefault.rows).toEqual([row(1), row(2)])
    await expect.poll(chosen.rows).toEqual(['shop-1 [fd00::1]:8080 ready', 'shop-2 [fd00::2]:8080 ready'])
    // A family without endpoints is still the service's.
    api.set(sliceOf('shop-4', []))
    await expect.poll(byDefault.rows).toEqual([])
    api.delete('shop-4')
    await expect.poll(byDefault.rows).toEqual(chosen.rows())
  })
})

test('10,000 endpoints in 100 slices are the members of a pool, and follow', async () => {
  const api = await apiServer()
  const address = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
  const pods = (from: number, terminating = false): SlicePod[] =>
    Array.from({ length: 100 }, (_, index) => ({
      name: `shop-${String(from + index).padStart(5, '0')}`,
      address: address(from + index),
      terminating,
    }))
  for (let slice = 0; slice < 100; slice += 1) api.set(sliceOf(`shop-${slice}`, pods(slice * 100)))
  const { proxy, failures } = follow(api, { requestTimeout: '30s' })
  const { pool } = proxy.affinity
  await expect.poll(() => pool.backends.length, { timeout: 20_000 }).toBe(10_000)
  await expect.poll(() => api.watches).toBe(1)
  for (let slice = 0; slice < 100; slice += 1) api.set(sliceOf(`shop-${slice}`, pods(slice * 100, true)))
  await expect
    .poll(() => pool.backends.every(({ state }) => state === 'drain'), { timeout: 20_000 })
    .toBe(true)
  expect(failures).toEqual([])
})
