import { describe, expect, it } from 'vitest'
import { type NodeRequest, requestHead } from '../../head.ts'
import type { Lease } from '../../lease.ts'
import { affinityOf, forwarded, pairOf, responded, select } from './prefix-policy.fixture.ts'

describe('forged marks', () => {
  const secrets = Array.from({ length: 8 }, (_, n) => `secret-${n}-0123456789abcdefghijklmnopqrstuvwxyz`)
  const forged = Array.from({ length: 300 }, (_, n) => `SID=a.${'A'.repeat(43)}~${n}`)

  it('before the good one do not lose the session: 50 of them', () => {
    const [line] = responded(select(affinityOf()), 'SID=abc')
    const lease = select(affinityOf(), [...forged.slice(0, 50), pairOf(line)].join('; '))
    expect(lease.status).toBe('matched')
    expect(forwarded(lease)).toBe([...forged.slice(0, 50), 'SID=abc'].join('; '))
  })

  it('of which a header is full cost no more HMACs than a few, whatever the number of secrets [T-07]', () => {
    const [line] = responded(select(affinityOf({ secrets })), 'SID=abc')
    function valuesBefore(count: number): [status: string, last: string | undefined] {
      const lease = select(affinityOf({ secrets }), [...forged.slice(0, count), pairOf(line)].join('; '))
      return [lease.status, forwarded(lease)?.split('; ').at(-1)]
    }
    expect(valuesBefore(19)).toEqual(['matched', 'SID=abc'])
    // The application judges unverified values, as any other.
    expect(valuesBefore(20)).toEqual(['none', pairOf(line)])
  })

  it('in lines of their own have one budget', () => {
    const affinity = affinityOf({ secrets })
    const [line] = responded(select(affinityOf({ secrets })), 'SID=abc')
    const values = [...forged, pairOf(line)]
    const message: NodeRequest = {
      method: 'GET',
      url: '/',
      httpVersion: '1.1',
      headers: { host: 'shop.test', cookie: values.join('; ') },
      rawHeaders: ['Host', 'shop.test', ...values.flatMap(value => ['Cookie', value])],
      socket: { remoteAddress: '192.0.2.1' },
    }
    const lease = affinity.select(requestHead(message)) as Lease
    expect(lease.requestLines()).toContain(pairOf(line))
  })
})
