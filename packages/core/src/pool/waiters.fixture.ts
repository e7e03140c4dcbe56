import { vi } from 'vitest'
import type { Affinity } from '../affinity.ts'
import type { Lease } from '../lease.ts'
import { request } from './pool-visits.fixture.ts'

export const waiting = { maxInFlight: 1, whenFull: 'wait', queueTimeout: '10s' } as const

/** A request and its result so far. */
export interface Waiter {
  outcome: string
  leave(): void
  lease?: Lease
}
export function enqueue(affinity: Affinity, cookie?: string): Waiter {
  let leave = (): void => undefined
  const selected = affinity.select(request(cookie), onGone => (leave = onGone))
  if (!(selected instanceof Promise)) throw new Error('need not wait')
  return watched(selected, () => leave())
}
export function watched(selected: Promise<Lease | undefined>, leave: () => void): Waiter {
  const waiter: Waiter = { outcome: 'waits', leave }
  selected.then(
    lease => {
      waiter.outcome = lease?.backend.id ?? 'left'
      if (lease !== undefined) waiter.lease = lease
    },
    (error: unknown) => (waiter.outcome = String(Reflect.get(error as object, 'code'))),
  )
  return waiter
}
export const settle = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)
