import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { onTestFinished, vi } from 'vitest'
import { type Affinity, createAffinity } from '../affinity.ts'
import type { AffinityOptions } from '../affinity-options.ts'
import type { Failure, FailureKind } from '../failure.ts'
import type { RequestHead } from '../head.ts'
import type { Lease } from '../lease.ts'
import type { Backend } from './backend.ts'

/** Operators' commands on a live pool, and the failures of backends, as a request sees them. */
const SECRET = 'correct horse battery staple, and then some more'

export const START = Date.UTC(2030, 0, 1)

export function request(cookie = '', facts: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', 'Cookie', cookie],
    headers: { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
    ...facts,
  }
}

export function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:80` }))
  return createAffinity({ backends, secrets: [SECRET], now: Date.now, ...options })
}

export function leaseOf(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Lease {
  const lease = affinity.select(request(cookie, facts))
  if (lease instanceof Promise) throw new Error('has to wait')
  return lease
}

/** Reports a failure, and asks for the backend of the next attempt. */
export function redispatch(lease: Lease, failure: Failure): Backend | undefined {
  lease.failed(failure)
  return lease.next(failure)
}

/** One request that succeeds: its backend, and the cookie that the client has then. */
export function visit(affinity: Affinity, cookie = ''): { backend: string; cookie: string; status: string } {
  const lease = leaseOf(affinity, cookie)
  const [line] = [lease.responded({ statusCode: 200, headers: {} })['set-cookie'] ?? []].flat()
  lease.release()
  return { backend: lease.backend.id, cookie: line?.split(';')[0] ?? cookie, status: lease.status }
}

/** A client with a session at `id`. */
export function cookieAt(affinity: Affinity, id: string): string {
  for (let n = 0; n < 1000; n += 1) {
    const { backend, cookie } = visit(affinity)
    if (backend === id) return cookie
  }
  throw new Error(`no session is placed at ${id}`)
}

export function spread(affinity: Affinity, visits: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let n = 0; n < visits; n += 1) {
    const { backend } = visit(affinity)
    counts[backend] = (counts[backend] ?? 0) + 1
  }
  return counts
}

/** A request that fails at `id`; the next backend responds, or fails as well. */
export function fail(affinity: Affinity, cookie: string, kind: FailureKind, hasResponded = true): string[] {
  const lease = leaseOf(affinity, cookie)
  const tried = [lease.backend.id]
  const failure = { kind, slow: kind === 'timeout', cause: undefined }
  while (redispatch(lease, failure) !== undefined) {
    tried.push(lease.backend.id)
    if (hasResponded) {
      lease.responded({ statusCode: 200, headers: {} })
      break
    }
  }
  lease.release()
  return tried
}

export function healthy(affinity: Affinity): string {
  return affinity.pool.backends.flatMap(view => (view.healthy ? view.backend.id : [])).join('')
}

export function events(channel: string): object[] {
  const seen: object[] = []
  const listener = (event: unknown): void => void seen.push(event as object)
  subscribe(channel, listener)
  onTestFinished(() => void unsubscribe(channel, listener))
  return seen
}

export function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return String(Reflect.get(error as object, 'code'))
  }
  return 'none'
}

/** An affinity of a and b whose sessions are known, because its process is older than any of them. It needs fake timers. */
export function timedAffinity(): Affinity {
  const affinity = affinityOf('ab', { affinity: [{ cookie: { maxIdle: '30m' } }] })
  vi.advanceTimersByTime(30 * 60_000)
  return affinity
}
