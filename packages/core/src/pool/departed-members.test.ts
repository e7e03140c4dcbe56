import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Affinity, createAffinity } from '../affinity.ts'
import type { AffinityOptions } from '../affinity-options.ts'
import type { DiscoveryListener } from '../discovery/discovery-source.ts'
import { startDiscovery } from '../discovery/discovery.ts'
import { isAffinityError } from '../errors.ts'
import type { HeaderFields, RequestHead } from '../head.ts'
import type { Lease } from '../lease.ts'
import { DepartedMembers } from './departed-members.ts'
import { LivePool } from './live-pool.ts'
import type { Pool } from './pool.ts'

const SECRET = 'correct horse battery staple, and then some more'
const START = Date.UTC(2030, 0, 1)
const GRACE = 60_000

interface Discovering {
  readonly affinity: Affinity
  readonly clock: { ms: number }
  /** Reports backends of these ids, and no other. */
  readonly report: (ids: string) => void
}

function discovering(options: Partial<AffinityOptions> = {}): Discovering {
  const clock = { ms: START }
  const affinity = createAffinity({
    backends: [],
    secrets: [SECRET],
    onUnavailable: 'reject',
    now: () => clock.ms,
    ...options,
  })
  const report = discover(affinity.pool)
  report('ab')
  return { affinity, clock, report }
}

function discover(pool: Pool): (ids: string) => void {
  let listener: DiscoveryListener | undefined
  const discovery = startDiscovery(pool, {
    name: 'registry',
    subscribe(subscriber) {
      listener = subscriber
      return { close: () => undefined }
    },
  })
  onTestFinished(() => discovery.close())
  return ids => listener?.backends(Array.from(ids, id => ({ id, url: `http://${id}.test:80` })))
}

function request(cookie: string, url = '/'): RequestHead {
  return {
    method: 'GET',
    url,
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', 'Cookie', cookie],
    headers: { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
  }
}

/** The backend that a request with this cookie gets, or the code of its error. */
function visit(affinity: Affinity, cookie: string, url?: string): string {
  try {
    const lease = leaseOf(affinity.select(request(cookie, url)))
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
    return `${lease.backend.id} ${lease.status}`
  } catch (error) {
    if (isAffinityError(error)) return error.code
    throw error
  }
}

function leaseOf(lease: Lease | Promise<Lease>): Lease {
  if (lease instanceof Promise) throw new TypeError('nothing here waits')
  return lease
}

/** The cookie of a session that has begun at this backend. */
function sessionAt(affinity: Affinity, home: string, headers: HeaderFields = {}): string {
  for (let tries = 0; tries < 5; tries += 1) {
    const lease = leaseOf(affinity.select(request('x=1')))
    const fields = lease.responded({ statusCode: 200, headers })
    lease.release()
    const [line = ''] = [fields['set-cookie'] ?? []].flat()
    if (lease.backend.id === home) return line.split(';')[0] ?? ''
  }
  throw new Error(`no session began at ${home}`)
}

const POLICIES: readonly [string, NonNullable<AffinityOptions['affinity']>, HeaderFields][] = [
  ['cookie', [{ cookie: {} }], {}],
  ['cookie with plain ids', [{ cookie: { opaque: false } }], {}],
  ['prefix', [{ prefix: { cookie: 'sid' } }], { 'set-cookie': ['sid=s; Path=/'] }],
  ['learn', [{ learn: { cookie: 'sid' } }], { 'set-cookie': ['sid=s; Path=/'] }],
]

describe('a session whose backend discovery has removed', () => {
  it.each(POLICIES)('is placed anew after the grace time: %s [LB133] [LB185]', (_, affinity, headers) => {
    const { affinity: kept, clock, report } = discovering({ affinity })
    const cookie = sessionAt(kept, 'a', headers)
    report('b')
    expect(visit(kept, cookie)).toBe('ERR_NO_BACKEND')
    expect(visit(kept, 'x=1')).toBe('b none')
    clock.ms += GRACE - 1
    report('bc')
    expect(visit(kept, cookie)).toBe('ERR_NO_BACKEND')
    clock.ms += 1
    expect(visit(kept, cookie)).toMatch(/^[bc] unknown$/)
  })

  it.each(POLICIES)('has it again when it is back within that time: %s', (_, affinity, headers) => {
    const { affinity: kept, clock, report } = discovering({ affinity })
    const cookie = sessionAt(kept, 'a', headers)
    report('b')
    clock.ms += GRACE - 1
    report('ab')
    clock.ms += 1
    expect(visit(kept, cookie)).toBe('a matched')
  })

  it('is refused when the request itself names that backend', () => {
    const { affinity, clock, report } = discovering({ affinity: [{ route: { query: 'r' } }] })
    report('b')
    expect(visit(affinity, '', '/?r=a')).toBe('ERR_NO_BACKEND')
    expect(visit(affinity, '', '/?r=z')).toBe('b unknown')
    clock.ms += GRACE
    expect(visit(affinity, '', '/?r=a')).toBe('b unknown')
  })

  it('is refused when a cookie of another load balancer names that backend', () => {
    const { affinity, clock, report } = discovering({ affinity: [{ cookie: { accept: ['nginx'] } }] })
    const cookie = `SERVERID=${createHash('md5').update('a.test:80').digest('hex')}`
    expect(visit(affinity, cookie)).toBe('a matched')
    report('b')
    expect(visit(affinity, cookie)).toBe('ERR_NO_BACKEND')
    clock.ms += GRACE
    expect(visit(affinity, cookie)).toBe('b unknown')
  })

  it('goes to a usable backend that another key names', () => {
    const { affinity, report } = discovering()
    const cookies = `${sessionAt(affinity, 'a')}; ${sessionAt(affinity, 'b')}`
    report('b')
    expect(visit(affinity, cookies)).toBe('b matched')
  })

  it.each<[string, Partial<AffinityOptions>]>([
    ['with onUnavailable redispatch', { onUnavailable: 'redispatch', removedGrace: '1h' }],
    ['without a grace time', { removedGrace: 0 }],
  ])('is placed anew at once %s', (_, options) => {
    const { affinity, report } = discovering(options)
    const cookie = sessionAt(affinity, 'a')
    report('b')
    expect(visit(affinity, cookie)).toBe('b unknown')
    expect(affinity.pool.departed).toEqual([])
  })

  it('is placed anew at once when an operator has removed it', () => {
    const { affinity, report } = discovering()
    const cookie = sessionAt(affinity, 'a')
    affinity.pool.remove('a')
    expect(visit(affinity, cookie)).toBe('b unknown')
    report('ab')
    report('b')
    expect(affinity.pool.remove('a')).toBe(false)
    expect(visit(affinity, cookie)).toBe('b unknown')
  })

  it('is placed anew at once when a new list of configured backends lacks it', () => {
    const { affinity } = discovering()
    const cookie = sessionAt(affinity, 'a')
    affinity.pool.replace([{ id: 'b', url: 'http://b.test:80' }])
    expect(visit(affinity, cookie)).toBe('b unknown')
  })

  it('keeps the grace time in a pool that takes over', () => {
    const { affinity, clock, report } = discovering()
    const cookie = sessionAt(affinity, 'a')
    report('b')
    clock.ms += GRACE / 2
    const next = discovering({ now: () => clock.ms })
    next.affinity.pool.takeOver(affinity.pool)
    expect(visit(next.affinity, cookie)).toBe('ERR_NO_BACKEND')
    clock.ms += GRACE / 2
    expect(visit(next.affinity, cookie)).toBe('b unknown')
  })

  it.each([
    ['for that backend', 'ab', 10_000, 'a'],
    ['until the grace time is over', '', GRACE, 'b'],
  ])('waits %s, where requests wait', async (_, back, afterMs, home) => {
    vi.useFakeTimers({ now: START })
    onTestFinished(() => void vi.useRealTimers())
    const { affinity, report } = discovering({ waitForBackend: '5m', now: Date.now })
    const cookie = sessionAt(affinity, 'a')
    report('b')
    let served: Lease | undefined
    const selected = affinity.select(request(cookie))
    if (!(selected instanceof Promise)) throw new TypeError('does not wait')
    const done = selected.then(lease => (served = lease))
    await vi.advanceTimersByTimeAsync(afterMs - 1)
    expect(served).toBeUndefined()
    if (back !== '') report(back)
    await vi.advanceTimersByTimeAsync(1)
    expect((await done).backend.id).toBe(home)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('departed members', () => {
  const views = (ids: readonly string[]) =>
    new LivePool(
      'p',
      ids.map(id => ({ id, url: `http://${id}.test:80` })),
    ).backends

  it('are bounded: the oldest is forgotten first', () => {
    const departed = new DepartedMembers(GRACE, () => START)
    for (const view of views(Array.from({ length: 10_001 }, (_, n) => `n${n}`))) departed.add(view)
    expect(departed.views).toHaveLength(10_000)
    expect(departed.find('n0')).toBeUndefined()
    expect(departed.find('n1')?.backend.id).toBe('n1')
  })

  it('have no longer than the grace time when the clock is set back', () => {
    const clock = { ms: START }
    const departed = new DepartedMembers(GRACE, () => clock.ms)
    for (const view of views(['a'])) departed.add(view)
    clock.ms -= 3_600_000
    expect(departed.dueInMs()).toBe(GRACE)
    clock.ms += GRACE
    expect(departed.find('a')).toBeUndefined()
    expect(departed.dueInMs()).toBe(Infinity)
  })
})
