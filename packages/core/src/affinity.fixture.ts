import { expect } from 'vitest'
import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import { isAffinityError } from './errors.ts'
import type { RequestHead } from './head.ts'
import type { Lease } from './lease.ts'
import { request } from './request.fixture.ts'

const SECRET = 'correct horse battery staple, and then some more'

export const START = Date.UTC(2030, 0, 1)

export function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:80` }))
  return createAffinity({ backends, secrets: [SECRET], now: () => START, ...options })
}

export function leaseOf(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Lease {
  const lease = affinity.select(request(cookie, facts))
  if (lease instanceof Promise) throw new Error('needs no promise')
  return lease
}

export interface Seen {
  readonly backend: string
  readonly status: string
  /** The cookie that a browser would send next time, if it got one. */
  readonly told: string | undefined
}

export function visit(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Seen {
  const lease = leaseOf(affinity, cookie, facts)
  const lines = [lease.responded({ statusCode: 200, headers: {} })['set-cookie'] ?? []].flat()
  lease.release()
  expect(lines.length).toBeLessThan(2)
  return { backend: lease.backend.id, status: lease.status, told: lines[0]?.split(';')[0] }
}

export function errorOf(run: () => unknown): { code: string; statusCode: number } {
  try {
    run()
  } catch (error) {
    if (isAffinityError(error)) return error
    throw error
  }
  throw new Error('was served')
}

/** A good cookie for each backend, by its id. */
export function cookiesOf(affinity: Affinity): Record<string, string> {
  const cookies: Record<string, string> = {}
  for (let n = 0; n < 10 * affinity.pool.backends.length; n += 1) {
    const { backend, told = '' } = visit(affinity)
    cookies[backend] = told
  }
  return cookies
}
