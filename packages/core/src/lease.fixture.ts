import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import type { Backend } from './pool/backend.ts'
import type { Failure, FailureKind } from './failure.ts'
import type { HeaderFields, RequestHead } from './head.ts'
import type { Lease } from './lease.ts'
import { request } from './request.fixture.ts'

const SECRET = 'correct horse battery staple, and then some more'

export function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:8080` }))
  return createAffinity({ backends, secrets: [SECRET], ...options })
}

export function leaseOf(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Lease {
  const lease = affinity.select(request(cookie, facts))
  if (lease instanceof Promise) throw new Error('needs no promise')
  return lease
}

export function setCookies(lease: Lease, headers: HeaderFields = {}): string[] {
  return [lease.responded({ statusCode: 200, headers })['set-cookie'] ?? []].flat()
}

export function cookieFor(affinity: Affinity, id: string): string {
  for (;;) {
    const lease = leaseOf(affinity)
    const [line = ''] = setCookies(lease)
    lease.release()
    if (lease.backend.id === id) return line.split(';')[0] ?? ''
  }
}

export function failure(kind: FailureKind = 'unreached'): Failure {
  return { kind, slow: kind === 'timeout', cause: new Error(kind) }
}

/** Reports a failure, and asks for the backend of the next attempt. */
export function redispatch(lease: Lease, what: Failure): Backend | undefined {
  lease.failed(what)
  return lease.next(what)
}

export function counts(affinity: Affinity, key: 'inFlight' | 'requests' | 'failures'): number[] {
  return affinity.pool.backends.map(view => view[key])
}
