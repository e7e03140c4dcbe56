import { readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { ApiServer } from '../support/api-server.ts'
import { status } from '../support/api-server.ts'
import { sliceOf } from '../support/endpoint-slice.ts'
import { apiServer, follow, pod, row } from './discovered-pods.ts'

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
