import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { DiscoveryFailedEvent } from '@limpet/core'
import { createHttpProxy, type HttpProxy } from '@limpet/http-proxy'
import { kubernetes, type KubernetesOptions } from '@limpet/kubernetes'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ApiServer, status, statusObject } from '../support/api-server.ts'
import { type SlicePod, sliceOf } from '../support/endpoint-slice.ts'

/** Pods of a service, as a scripted API server lists and streams them over TLS. */

async function apiServer(): Promise<ApiServer> {
  const api = await ApiServer.start()
  onTestFinished(() => api.close())
  return api
}

interface Following {
  readonly proxy: HttpProxy
  readonly rows: () => readonly string[]
  readonly failures: string[]
}

function follow(api: ApiServer, options: Partial<KubernetesOptions> = {}): Following {
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

const pod = (number: number, more: Partial<SlicePod> = {}): SlicePod => ({
  name: `shop-${number}`,
  address: `10.0.0.${number}`,
  ...more,
})
const row = (number: number, rest = 'ready'): string => `shop-${number} 10.0.0.${number}:8080 ${rest}`

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

describe('a watch', () => {
  test('that ends goes on after its last event or bookmark, and nothing is missed', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    api.set(sliceOf('shop-a', [pod(1), pod(2)]))
    await expect.poll(rows).toEqual([row(1), row(2)])
    api.bookmark()
    api.endWatches()
    await expect.poll(() => api.count('watch')).toBe(2)
    await expect.poll(() => api.watches).toBe(1)
    api.setUnseen(sliceOf('shop-b', [pod(3)]))
    api.cutWatches()
    await expect.poll(() => api.count('watch')).toBe(2)
    expect(api.requests.map(({ query }) => query.get('resourceVersion'))).toEqual([null, '101', '103'])
    expect(api.requests[1]?.query.get('allowWatchBookmarks')).toBe('true')
    expect(Number(api.requests[1]?.query.get('timeoutSeconds'))).toBeGreaterThan(200)
    expect(failures).toEqual([])
  })

  test('whose connection is cut goes on, with all that happened meanwhile', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    api.cutWatches()
    api.setUnseen(sliceOf('shop-b', [pod(2)]))
    await expect.poll(rows).toEqual([row(1), row(2)])
    expect(api.count('list')).toBe(1)
    expect(failures).toEqual([])
  })

  test.each(['a status', 'an event'])(
    'whose version is too old, by %s of 410, begins with a list',
    async how => {
      const api = await apiServer()
      api.set(sliceOf('shop-a', [pod(1)]), sliceOf('shop-b', [pod(2)]))
      const { rows, failures } = follow(api)
      await expect.poll(() => api.watches).toBe(1)
      if (how === 'a status') {
        api.compact()
        api.endWatches()
      } else {
        api.write(
          `${JSON.stringify({ type: 'ERROR', object: statusObject(410, 'too old resource version') })}\n`,
        )
      }
      api.delete('shop-a')
      await expect.poll(rows).toEqual([row(2)])
      await expect.poll(() => api.count('list')).toBe(2)
      expect(failures).toEqual([])
    },
  )

  test('of 410 again and again is told, and keeps the pods', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    api.script = ({ what }, response) => {
      if (what === 'watch') status(response, 410, 'too old')
      return what === 'watch'
    }
    const { rows, failures } = follow(api)
    await expect.poll(() => failures.length, { timeout: 5_000 }).toBeGreaterThan(1)
    expect(failures[0]).toBe('ApiError: the API server said 410: too old')
    // With growing pauses.
    expect(api.count('list')).toBeLessThan(8)
    expect(rows()).toEqual([row(1)])
  })

  test('that comes in pieces is put together, at whatever byte it was cut', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    const object = { ...sliceOf('shop-ü', [pod(2)]) }
    const text = Buffer.from(
      `${JSON.stringify({ type: 'ADDED', object: { ...object, metadata: { ...object.metadata, resourceVersion: '900' } } })}\n\n`,
    )
    let watch: ServerResponse | undefined
    api.script = ({ what }, response) => {
      if (what !== 'watch' || watch !== undefined) return false
      watch = response
      response.flushHeaders()
      for (const byte of text) response.write(Uint8Array.of(byte))
      return true
    }
    api.endWatches()
    await expect.poll(rows).toEqual([row(1), row(2)])
    watch?.end()
  })

  test.each([
    ['a line that is no JSON', 'garbage\n'],
    ['HTML', '<html><body>Bad gateway</body></html>\n'],
    ['another value', '42\n'],
    ['an unknown type', '{"type":"RENAMED","object":{"metadata":{"resourceVersion":"7"}}}\n'],
    ['no object', '{"type":"ADDED"}\n'],
    ['no version', '{"type":"BOOKMARK","object":{"metadata":{}}}\n'],
    ['no slice', '{"type":"ADDED","object":{"metadata":{"name":"x","resourceVersion":"9"},"endpoints":7}}\n'],
    ['an error', `${JSON.stringify({ type: 'ERROR', object: statusObject(500, 'etcd') })}\n`],
    ['bytes', '\u0000\u0001\u0002\n'],
  ])('of %s is told, and all is listed again', async (_what, text) => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1), pod(2)]))
    const { rows, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    api.write(text)
    await expect.poll(() => api.count('list')).toBe(2)
    await expect.poll(() => api.watches).toBe(1)
    expect(failures).toHaveLength(1)
    expect(failures[0]).toContain('the API server')
    api.set(sliceOf('shop-a', [pod(2)]))
    await expect.poll(rows).toEqual([row(2)])
  })

  test('of half a line that ends there is asked for again', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    api.write('{"type":"MODIFIED","object":{"metadata":{"name":"shop-a"')
    api.endWatches()
    await expect.poll(() => api.count('watch')).toBe(2)
    api.set(sliceOf('shop-a', [pod(2)]))
    await expect.poll(rows).toEqual([row(2)])
    expect(failures).toEqual([])
  })

  test('that is silent for longer than it was asked for is left', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, failures } = follow(api, { watchTimeout: '1s' })
    await expect.poll(() => api.watches).toBe(1)
    // It should have been ended.
    await expect.poll(() => api.count('watch'), { timeout: 8_000 }).toBe(2)
    expect(failures).toEqual(['Error: the API server has not ended a watch of 1 s'])
    api.set(sliceOf('shop-a', [pod(2)]))
    await expect.poll(rows).toEqual([row(2)])
  })

  test('that is ended at once, always, is not asked for without a pause', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    api.script = ({ what }, response) => {
      if (what === 'watch') response.end()
      return what === 'watch'
    }
    const { rows } = follow(api)
    await expect.poll(() => api.count('watch'), { timeout: 5_000 }).toBe(4)
    // 200, 400 and 800 ms, less a half at most.
    expect(rows()).toEqual([row(1)])
    const startedMs = performance.now()
    await expect.poll(() => api.count('watch'), { timeout: 5_000 }).toBe(5)
    expect(performance.now() - startedMs).toBeGreaterThan(500)
  })
})

describe('an API server', () => {
  test('that is away keeps the pods, and is followed when it is back', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    const { port } = api
    await api.stop()
    api.setUnseen(sliceOf('shop-a', [pod(1), pod(2)]))
    await expect.poll(() => failures.length).toBeGreaterThan(1)
    expect(rows()).toEqual([row(1)])
    await api.restart(port)
    await expect.poll(rows, { timeout: 5_000 }).toEqual([row(1), row(2)])
    expect(api.count('list')).toBe(1)
  })

  test('whose token has changed is asked with the new one', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    api.writeToken('second-token')
    api.token = 'second-token'
    api.endWatches()
    await expect.poll(() => api.watches).toBe(1)
    expect(failures).toEqual([])
    // It was taken before its time: 401 until the file has another.
    api.token = 'third-token'
    api.endWatches()
    await expect.poll(() => failures.length).toBeGreaterThan(0)
    expect(failures[0]).toBe('ApiError: the API server said 401: Unauthorized; is the token still valid?')
    expect(failures.join()).not.toContain('second-token')
    api.writeToken('third-token')
    await expect.poll(() => api.watches, { timeout: 5_000 }).toBe(1)
    expect(rows()).toEqual([row(1)])
    expect(api.count('list')).toBe(1)
    expect(new Set(api.requests.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer first-token', 'Bearer second-token', 'Bearer third-token']),
    )
  })

  test('that forbids it says what is missing', async () => {
    const api = await apiServer()
    const { failures } = follow(api, { namespace: 'secret' })
    await expect.poll(() => failures.length).toBeGreaterThan(0)
    expect(failures[0]).toBe(
      'ApiError: the API server said 403: endpointslices.discovery.k8s.io is forbidden in /apis/discovery.k8s.io/v1/namespaces/secret/endpointslices; bind a Role with list and watch on endpointslices.discovery.k8s.io to the service account',
    )
  })

  test('that asks for a pause gets it', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const times: number[] = []
    api.script = (_request, response) => {
      times.push(performance.now())
      if (times.length > 1) return false
      response.setHeader('retry-after', '1')
      status(response, 429, 'too many requests')
      return true
    }
    const { rows } = follow(api)
    await expect.poll(rows, { timeout: 5_000 }).toEqual([row(1)])
    expect(Number(times[1]) - Number(times[0])).toBeGreaterThan(990)
  })

  test.each<[string, (response: ServerResponse) => void]>([
    ['is no JSON', response => response.end('<html>')],
    [
      'is cut off',
      response => response.end('{"kind":"EndpointSliceList","metadata":{"resourceVersion":"7"},"items":['),
    ],
    ['has no version', response => response.end('{"kind":"EndpointSliceList","metadata":{},"items":[]}')],
    ['has other items', response => response.end('{"metadata":{"resourceVersion":"7"},"items":[7]}')],
    ['has no items', response => response.end('{"metadata":{"resourceVersion":"7"}}')],
    ['is an error page', response => void response.writeHead(502).end('<html>')],
    ['breaks off', response => void response.write('{', () => response.socket?.destroy())],
    [
      'is another place',
      response => void response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end(),
    ],
  ])('whose list %s is asked again, and nothing is lost', async (_what, answer) => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    let isBroken = true
    api.script = ({ what }, response) => {
      if (what !== 'list' || !isBroken) return false
      answer(response)
      return true
    }
    api.compact()
    api.endWatches()
    await expect.poll(() => failures.length).toBeGreaterThan(0)
    expect(rows()).toEqual([row(1)])
    isBroken = false
    api.set(sliceOf('shop-a', [pod(2)]))
    await expect.poll(rows, { timeout: 5_000 }).toEqual([row(2)])
  })

  test.each(['the head', 'the body'])('that is slow with %s of a list is asked again', async part => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    let lists = 0
    api.script = ({ what }, response) => {
      lists += 1
      if (what !== 'list' || lists > 1) return false
      if (part === 'the body') response.write('{"kind":')
      return true
    }
    const { rows, failures } = follow(api)
    await expect.poll(rows, { timeout: 5_000 }).toEqual([row(1)])
    expect(failures).toHaveLength(1)
    expect(failures[0]).toContain('within 1000 ms')
  })

  test('that is not the one of the certificate is not trusted', async () => {
    const api = await apiServer()
    const other = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const text = readFileSync(api.kubeconfig, 'utf8').replace(/, certificate-authority: ca.crt/, '')
    const path = other.kubeconfig
    writeFileSync(path, text)
    const { rows, failures } = follow({ kubeconfig: path } as ApiServer)
    await expect.poll(() => failures.length).toBeGreaterThan(0)
    expect(failures[0]).toContain('self-signed certificate')
    expect(rows()).toEqual([])
    expect(api.requests).toEqual([])
  })

  test('is not asked any more once it is closed, and its connection ends', async () => {
    const api = await apiServer()
    api.set(sliceOf('shop-a', [pod(1)]))
    const { rows, proxy, failures } = follow(api)
    await expect.poll(() => api.watches).toBe(1)
    await expect.poll(rows).toHaveLength(1)
    proxy.close()
    await expect.poll(() => api.watches).toBe(0)
    api.set(sliceOf('shop-a', []))
    expect(api.requests).toHaveLength(2)
    expect(rows()).toEqual([row(1)])
    expect(failures).toEqual([])
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
}, 60_000)
