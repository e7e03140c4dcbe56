import { createAffinity, type BackendFigures, requestHead } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { mergeBackends, mergePools, type Pools } from './merge-figures.ts'

/** The pools of a process that has served so many requests, with other facts of its backend. */
async function processOf(requests: number, facts: Partial<BackendFigures> = {}): Promise<Pools> {
  const affinity = createAffinity({ name: 'web', backends: [{ id: 'w1', url: 'http://a' }], affinity: [] })
  for (let count = 0; count < requests; count += 1) {
    const headers = { host: 'a' }
    const message = {
      method: 'GET',
      url: '/',
      httpVersion: '1.1',
      headers,
      rawHeaders: ['Host', 'a'],
      socket: {},
    }
    const lease = await affinity.select(requestHead(message))
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
  }
  const figures = affinity.stats()
  return { web: { ...figures, backends: figures.backends.map(one => Object.assign(one, facts)) } }
}

async function backendOf(isShared: boolean, ...facts: readonly Partial<BackendFigures>[]) {
  const all = await Promise.all(facts.map(async one => processOf(0, one)))
  return mergeBackends(
    all.flatMap(pools => pools['web']?.backends ?? []),
    isShared,
  )
}

it('adds up counts and durations of several processes', async () => {
  const merged = mergePools([await processOf(2), await processOf(3)], new Set())['web']
  expect(merged).toMatchObject({ requests: 5, durations: { count: 5 }, affinity: { none: 5 } })
  expect(merged?.backends).toMatchObject([
    { requests: 5, responses: { '2xx': 5 }, responseTimes: { count: 5 }, healthy: true, effectiveWeight: 1 },
  ])
  expect(merged?.durations.buckets.reduce((sum, count) => sum + count, 0)).toBe(5)
})

describe('a backend of several processes', () => {
  it('is healthy where all say so, and drains itself where one says so', async () => {
    expect(await backendOf(false, { healthy: false }, { selfDraining: true })).toMatchObject({
      healthy: false,
      selfDraining: true,
    })
  })

  it('has the sum of sessions, or the most where each process counts all, or none where one does not count', async () => {
    const counts = [{ sessions: 3 }, { sessions: 5 }]
    expect(await backendOf(false, ...counts)).toMatchObject({ sessions: 8, sessionsEstimated: true })
    expect((await backendOf(true, ...counts))?.sessions).toBe(5)
    expect(await backendOf(false, { sessions: 3 }, { sessions: undefined })).toMatchObject({
      sessions: undefined,
      sessionsEstimated: false,
    })
  })

  it('has the last of the checks', async () => {
    const check = (atMs: number, healthy: boolean) => ({
      checks: { passed: 1, failed: 0, last: { healthy, problem: undefined, durationMs: 1, atMs } },
    })
    const merged = await backendOf(false, check(5, true), check(9, false), check(7, true))
    expect(merged?.checks).toMatchObject({ passed: 3, last: { atMs: 9, healthy: false } })
  })

  it('has the worst end of the last drain, without those of an earlier one', async () => {
    const drain = (outcome: 'drained' | 'deadline' | 'cancelled', startedAtMs: number) => ({
      lastDrain: {
        startedAtMs,
        endedAtMs: startedAtMs + 5,
        outcome,
        inFlight: 1,
        sessions: 2,
        sessionsEstimated: false,
      },
    })
    const merged = await backendOf(
      false,
      drain('drained', 10_000),
      drain('deadline', 10_400),
      drain('cancelled', 1_000),
      {},
    )
    expect(merged?.lastDrain).toEqual({
      startedAtMs: 10_000,
      endedAtMs: 10_405,
      outcome: 'deadline',
      inFlight: 2,
      sessions: 4,
      sessionsEstimated: false,
    })
  })

  it('drains as long as one process does', async () => {
    const drain = { startedAtMs: 10, deadlineAtMs: 90, spreadMs: 5, startedSessions: 2 }
    const merged = await backendOf(
      false,
      { drain },
      { drain: { ...drain, startedAtMs: 8, deadlineAtMs: 95 } },
      {},
    )
    expect(merged?.drain).toEqual({ startedAtMs: 8, deadlineAtMs: 95, spreadMs: 5, startedSessions: 4 })
  })
})
