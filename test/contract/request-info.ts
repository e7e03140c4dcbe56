import { onEvent } from '@limpet/core'
import type { LimpetInfo } from '@limpet/http-proxy'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { resetBeforeHead } from '../support/scripts.ts'
import type { Around } from './harness.ts'
import type { Start } from './start.ts'

const TIME = expect.any(Number) as number
const CHANNELS = [
  'limpet:selected',
  'limpet:failed',
  'limpet:redispatched',
  'limpet:connected',
  'limpet:responded',
  'limpet:released',
] as const
const TIMES = { startedMs: TIME, durationMs: TIME }

/** An application that keeps what its first response hook and its error handler see of the pool's part. */
class InfoNotes implements Around {
  readonly #response = Promise.withResolvers<LimpetInfo | undefined>()
  readonly #error = Promise.withResolvers<LimpetInfo | undefined>()

  enter<T>(_request: unknown, next: () => T): T {
    return next()
  }

  onResponse(info: LimpetInfo | undefined): void {
    this.#response.resolve(info)
  }

  onError(info: LimpetInfo | undefined): void {
    this.#error.resolve(info)
  }

  /** As a logger writes it. */
  async atResponse(): Promise<unknown> {
    return JSON.parse(JSON.stringify(await this.#response.promise))
  }

  async atError(): Promise<unknown> {
    return JSON.parse(JSON.stringify(await this.#error.promise))
  }
}

/** The pool's part in a request, as the application around limpet sees it. */
export function requestInfo(start: Start): void {
  describe("the pool's part in a request", () => {
    test('is there for response hooks: backend, affinity status and attempt', async () => {
      const w1 = await startBackend('w1')
      const around = new InfoNotes()
      const gateway = await start([w1], { around, name: 'shop' })
      expect((await gateway.ask()).status).toBe(200)
      expect(await around.atResponse()).toEqual({
        pool: 'shop',
        backend: 'w1',
        status: 'none',
        attempts: [{ ...TIMES, backend: 'w1', outcome: 'responded' }],
        queuedMs: TIME,
      })
    })

    test('comes with the message of Node in every event of the request', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      await w1.refuse()
      const gateway = await start([w1, w2], { name: 'events' })
      const seen: string[] = []
      for (const name of CHANNELS) {
        const end = onEvent(name, ({ pool, request }) => {
          if (pool === 'events') seen.push(`${name} ${request?.url} ${String(request?.headers['x-order'])}`)
        })
        onTestFinished(end)
      }
      expect((await gateway.ask({ path: '/cart?x=1', headers: { 'X-Order': '7' } })).status).toBe(200)
      await expect.poll(() => seen).toEqual(CHANNELS.map(name => `${name} /cart?x=1 7`))
    })

    test('has each attempt of a request that moved, with its outcome', async () => {
      const [down, broken, w3] = await startBackends('down', 'broken', 'w3')
      await down.refuse()
      broken.script = resetBeforeHead
      const around = new InfoNotes()
      const gateway = await start([down, broken, w3], { around })
      expect((await gateway.ask()).echo.id).toBe('w3')
      expect(await around.atResponse()).toMatchObject({
        backend: 'w3',
        attempts: [
          { ...TIMES, backend: 'down', outcome: 'unreached' },
          { ...TIMES, backend: 'broken', outcome: 'broken' },
          { ...TIMES, backend: 'w3', outcome: 'responded' },
        ],
      })
    })

    test('is there for the error handler when every attempt failed: 502', async () => {
      const down = await startBackend('down')
      await down.refuse()
      const around = new InfoNotes()
      const gateway = await start([down], { around })
      expect((await gateway.ask()).status).toBe(502)
      expect(await around.atError()).toMatchObject({
        backend: 'down',
        attempts: [{ ...TIMES, backend: 'down', outcome: 'unreached' }],
      })
    })

    test('is there for the error handler when no backend is available: 503', async () => {
      const around = new InfoNotes()
      const gateway = await start([], { around, name: 'shop' })
      expect((await gateway.ask()).status).toBe(503)
      expect(await around.atError()).toEqual({ pool: 'shop', attempts: [], queuedMs: 0 })
    })
  })
}
