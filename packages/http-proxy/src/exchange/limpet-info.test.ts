import { createAffinity, type Lease } from '@limpet/core'
import { expect, it } from 'vitest'
import { RequestRecord } from './limpet-info.ts'

function leaseOf(): Lease {
  const affinity = createAffinity({ name: 'web', backends: [{ id: 'w1', url: 'http://a' }], affinity: [] })
  return affinity.select({
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'a'],
    headers: { host: 'a' },
    remoteAddress: '192.0.2.7',
    localPort: 80,
    encrypted: false,
    hasBody: false,
  }) as Lease
}

it('knows a backend when one is chosen', () => {
  const record = new RequestRecord('web')
  expect([record.pool, record.backend, record.status, record.queuedMs]).toEqual([
    'web',
    undefined,
    undefined,
    0,
  ])
  record.placed(leaseOf())
  expect([record.backend, record.status]).toEqual(['w1', 'none'])
  expect(record.queuedMs).toBeGreaterThanOrEqual(0)
})

it('has each attempt with its first end', () => {
  const record = new RequestRecord('web')
  record.ended('broken')
  record.began('w1')
  expect(record.attempts).toMatchObject([{ backend: 'w1', outcome: undefined, durationMs: undefined }])
  record.ended('broken')
  record.ended('timeout')
  record.began('w2')
  expect(record.isUnderWay).toBe(true)
  record.ended('responded')
  expect([record.attempts.map(({ outcome }) => outcome), record.isUnderWay]).toEqual([
    ['broken', 'responded'],
    false,
  ])
  for (const { durationMs } of record.attempts) expect(durationMs).toBeGreaterThanOrEqual(0)
})

it('is plain data for a logger', () => {
  const record = new RequestRecord('web')
  record.began('w1')
  expect(JSON.parse(JSON.stringify(record))).toEqual({
    pool: 'web',
    attempts: [{ backend: 'w1', startedMs: expect.any(Number) as number }],
    queuedMs: 0,
  })
})
