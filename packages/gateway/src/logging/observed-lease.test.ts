import { createAffinity, type FailureKind, type Lease } from '@limpet/core'
import { expect, it } from 'vitest'
import { type Entry, ObservedLease } from './observed-lease.ts'

/** The lease of a request for one of three backends, and its entry. */
function observed() {
  const affinity = createAffinity({
    backends: ['w1', 'w2', 'w3'].map(id => ({ id, url: `http://${id}.test` })),
    affinity: [],
    balance: 'first',
  })
  const held = affinity.select({
    method: 'GET',
    url: '/x',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'a'],
    headers: { host: 'a' },
    remoteAddress: '192.0.2.7',
    localPort: 80,
    encrypted: false,
    hasBody: false,
  }) as Lease
  const entry = { attempts: 0, status: undefined, isCut: false } as Entry
  return { lease: new ObservedLease(held, entry), held, entry, affinity }
}

const failure = (kind: FailureKind) => ({ kind, slow: kind === 'timeout', cause: new Error(kind) })

it('notes the backend, the client and the times of a request, and is the lease that it wraps', () => {
  const { lease, held, entry, affinity } = observed()
  expect(entry).toMatchObject({ client: '192.0.2.7', affinity: 'none', backend: 'w1', attempts: 1 })
  expect([lease.backend, lease.target, lease.requestLines()]).toEqual([
    held.backend,
    '/x',
    held.requestLines(),
  ])
  lease.connected()
  lease.responded({ statusCode: 204, headers: {} })
  expect(entry.status).toBe(204)
  const { selectedMs = 0, connectedMs = 0, headMs = 0 } = entry
  expect([selectedMs, connectedMs, headMs].toSorted((a, b) => a - b)).toEqual([
    selectedMs,
    connectedMs,
    headMs,
  ])
  lease.release()
  expect(affinity.pool.backends.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0])
})

it('notes attempts, and the status of our response after the last', () => {
  const { lease, entry } = observed()
  for (const backend of ['w2', 'w3']) {
    lease.failed(failure('unreached'))
    lease.next(failure('unreached'))
    expect(entry.backend).toBe(backend)
  }
  lease.failed(failure('timeout'))
  expect(lease.next(failure('timeout'))).toBeUndefined()
  expect(entry).toMatchObject({ attempts: 3, status: 504 })
})

it('notes a response that was cut', () => {
  const { lease, entry } = observed()
  lease.failed(failure('truncated'))
  expect(entry.isCut).toBe(true)
})
