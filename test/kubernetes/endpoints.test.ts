import { describe, expect, test } from 'vitest'
import { sliceOf } from '../support/endpoint-slice.ts'
import { apiServer, follow, pod, row } from './discovered-pods.ts'

describe('the port', () => {
  const http = { name: 'http', port: 8080, protocol: 'TCP' }
  const metrics = { name: 'metrics', port: 9090, protocol: 'TCP' }
  const udp = { name: 'quic', port: 8443, protocol: 'UDP' }

  test.each<[string, readonly object[] | null, string | number | undefined, number]>([
    ['the only one', [http], undefined, 8080],
    ['the only one of TCP', [udp, http], undefined, 8080],
    ['without a name', [{ name: '', port: 8080 }], undefined, 8080],
    ['by its name', [http, metrics], 'metrics', 9090],
    ['by its number', [http, metrics], 9090, 9090],
    ['by its number where there is none', null, 9090, 9090],
    ['by its number where all are open', [{ name: '', port: null }], 9090, 9090],
  ])('%s', async (_what, ports, port, expected) => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)], { ports }))
    const { rows } = follow(api, { ...(port !== undefined && { port }) })
    await expect.poll(rows).toEqual([`shop-1 10.0.0.1:${expected} ready`])
  })

  test('by its name may be another number for each pod', async () => {
    const api = await apiServer()
    api.set(
      sliceOf('shop-a', [pod(1)], { ports: [http] }),
      sliceOf('shop-b', [pod(2)], { ports: [{ ...http, port: 8081 }] }),
    )
    const { rows } = follow(api, { port: 'http' })
    await expect.poll(rows).toEqual(['shop-1 10.0.0.1:8080 ready', 'shop-2 10.0.0.2:8081 ready'])
  })

  test.each<[string, readonly object[] | null, string | number | undefined, string]>([
    [
      'several',
      [http, metrics],
      undefined,
      'slices are skipped that have several ports; it takes one of http, metrics as option port (shop-a)',
    ],
    [
      'none',
      null,
      undefined,
      "slices are skipped that have no TCP port; it takes the number of the pods' port as option port (shop-a)",
    ],
    [
      'no such name',
      [http, udp],
      'quic',
      'slices are skipped that have no port quic of TCP; they have http (shop-a)',
    ],
    ['no such number', [http], 80, 'slices are skipped that have no port 80 of TCP; they have http (shop-a)'],
  ])('of a slice that has %s is a problem that is told once', async (_what, ports, port, expected) => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)], { ports }), sliceOf('shop-b', [], { ports }))
    const { rows, failures } = follow(api, { ...(port !== undefined && { port }) })
    await expect.poll(() => failures).toEqual([`Error: ${expected}`])
    await expect.poll(() => api.watches).toBe(1)
    api.set(sliceOf('shop-a', [pod(1), pod(2)], { ports }))
    api.set(
      sliceOf('shop-c', [pod(3)], {
        ports: [{ ...http, name: String(port ?? 'http'), port: Number(port) || 8080 }],
      }),
    )
    await expect.poll(rows).toHaveLength(1)
    expect(failures).toHaveLength(1)
  })
})

describe('what is skipped', () => {
  test('a name that is no id, and the others stay', async () => {
    const api = await apiServer()
    const long = 'x'.repeat(65)
    api.set(sliceOf('shop-a', [pod(1), pod(2, { name: 'a.b' }), pod(3, { name: long })]))
    const { rows, failures } = follow(api)
    await expect.poll(rows).toEqual([row(1)])
    expect(failures).toEqual([
      `Error: pods are skipped whose names are no ids; it takes 1 to 64 of A-Z a-z 0-9 _ - (a.b, ${long})`,
    ])
  })

  test('names, and what is no address', async () => {
    const api = await apiServer()
    api.set(sliceOf('fqdn', [pod(1, { address: 'shop.example' })], { addressType: 'FQDN' }))
    api.set(sliceOf('shop-a', [pod(1, { address: 'fd00::1' }), pod(2, { address: '10.0.0.2/../x' }), pod(3)]))
    const { rows, failures } = follow(api)
    await expect.poll(rows).toEqual([row(3)])
    expect(failures).toEqual([
      'Error: slices of the address type FQDN are skipped; it takes IPv4 or IPv6 (fqdn)',
    ])
  })

  test('nothing of an endpoint that is no pod: its address is its name', async () => {
    const api = await apiServer()
    const slice = sliceOf('shop-a', [])
    api.set({ ...slice, endpoints: [{ addresses: ['10.0.0.1', '10.0.0.2'] }, { addresses: [] }, null] })
    const { rows } = follow(api)
    await expect.poll(rows).toEqual(['10_0_0_1-8080 10.0.0.1:8080 ready'])
  })

  test('a service that is not there is told', async () => {
    const api = await apiServer()
    const { failures } = follow(api, { service: 'shopp' })
    await expect
      .poll(() => failures)
      .toEqual(['Error: there is no EndpointSlice of the service shopp; it takes a Service with a selector'])
  })
})
