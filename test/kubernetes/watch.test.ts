import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { status, statusObject } from '../support/api-server.ts'
import { sliceOf } from '../support/endpoint-slice.ts'
import { apiServer, follow, pod, row } from './discovered-pods.ts'

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
