import { describe, expect, it } from 'vitest'
import type { Lease } from './lease.ts'
import type { AffinityPolicy, Claims } from './policies/policy.ts'
import { affinityOf, leaseOf, visit } from './affinity.fixture.ts'
import { request } from './request.fixture.ts'

describe('several policies', () => {
  function policy(
    name: string,
    claims: Claims | Promise<Claims> | (() => never | Promise<never>),
  ): AffinityPolicy {
    return {
      name,
      read: () => (typeof claims === 'function' ? claims() : claims),
      responded: ({ claim, matched, backend }, fields) => {
        fields[name] = `${claim.kind} ${matched} ${backend.id}`
      },
    }
  }
  const to = (id: string) => ({ kind: 'backend', id }) as const

  function responded(lease: Lease): Record<string, unknown> {
    return {
      backend: lease.backend.id,
      status: lease.status,
      ...lease.responded({ statusCode: 200, headers: {} }),
    }
  }

  it('are asked in order: the first that names a usable backend wins', () => {
    const affinity = affinityOf('abc', {
      affinity: [
        policy('one', { kind: 'expired' }),
        policy('two', [to('gone'), to('b'), to('a')]),
        policy('three', to('a')),
      ],
    })
    expect(responded(leaseOf(affinity))).toEqual({
      backend: 'b',
      status: 'matched',
      one: 'expired false b',
      two: 'backend true b',
      three: 'backend false b',
    })
  })

  it('each get their own claim when none is usable', () => {
    const affinity = affinityOf('abc', {
      affinity: [policy('one', []), policy('two', [to('gone'), { kind: 'invalid' }])],
    })
    const lease = leaseOf(affinity)
    const { one, two, status } = responded(lease)
    const { id } = lease.backend
    expect({ one, two, status }).toEqual({
      one: `none false ${id}`,
      two: `backend false ${id}`,
      status: 'unknown',
    })
  })

  it('of which none is there leave it to the balancer', () => {
    const affinity = affinityOf('ab', { affinity: [], secrets: [] })
    expect([visit(affinity), visit(affinity)]).toEqual([
      { backend: 'a', status: 'none', told: undefined },
      { backend: 'b', status: 'none', told: undefined },
    ])
  })

  it('may ask elsewhere: those behind are asked at once, and the order still decides', async () => {
    const affinity = affinityOf('abc', {
      affinity: [
        policy('one', { kind: 'none' }),
        policy('two', Promise.resolve(to('c'))),
        policy('three', to('a')),
        policy('four', Promise.resolve<Claims>([])),
      ],
    })
    const promise = affinity.select(request())
    expect(promise).toBeInstanceOf(Promise)
    expect(responded(await promise)).toEqual({
      backend: 'c',
      status: 'matched',
      one: 'none false c',
      two: 'backend true c',
      three: 'backend false c',
      four: 'none false c',
    })
  })

  it.each<[string, AffinityPolicy]>([
    ['elsewhere', policy('failing', () => Promise.reject(new Error('no store')))],
    [
      'at once',
      policy('failing', () => {
        throw new Error('no store')
      }),
    ],
  ])('that fail %s cost a session its backend, not its answer', async (_, failing) => {
    const alone = await affinityOf('a', { affinity: [failing] }).select(request())
    expect(responded(alone)).toEqual({ backend: 'a', status: 'none', failing: 'none false a' })
    const beside = await affinityOf('ab', { affinity: [failing, policy('well', to('b'))] }).select(request())
    expect(beside).toMatchObject({ backend: { id: 'b' }, status: 'matched' })
  })

  it('that cannot tell the client leave the others to tell theirs', () => {
    const failing: AffinityPolicy = {
      name: 'failing',
      read: () => ({ kind: 'none' }),
      write: () => {
        throw new Error('cannot write')
      },
    }
    const affinity = affinityOf('a', { affinity: [failing, policy('well', to('a'))] })
    expect(responded(leaseOf(affinity))).toEqual({ backend: 'a', status: 'matched', well: 'backend true a' })
  })

  it('that asked elsewhere decide by the pool as it is when they know', async () => {
    const affinity = affinityOf('ab', { affinity: [policy('one', Promise.resolve(to('a')))] })
    const promise = affinity.select(request())
    affinity.pool.setHealthy('a', false)
    expect(await promise).toMatchObject({ status: 'unavailable', backend: { id: 'b' } })
  })
})

describe('two pools of one site', () => {
  it('each keep their sessions by a name of their own [LB092]', () => {
    const [web, api] = ['web', 'api'].map(name =>
      affinityOf('ab', { name, affinity: [{ cookie: { name } }] }),
    )
    if (web === undefined || api === undefined) throw new Error('two')
    const [atWeb, atApi] = [visit(web), visit(api)]
    const both = `${atApi.told}; ${atWeb.told}`
    expect(atWeb.told).toMatch(/^web=/)
    expect(atApi.told).toMatch(/^api=/)
    expect(visit(web, both)).toMatchObject({ backend: atWeb.backend, status: 'matched' })
    expect(visit(api, both)).toMatchObject({ backend: atApi.backend, status: 'matched' })
  })

  it('do not take each other’s values [T-04]', () => {
    const [web, api] = ['web', 'api'].map(name => affinityOf('ab', { name }))
    if (web === undefined || api === undefined) throw new Error('two')
    expect(visit(api, visit(web).told).status).toBe('invalid')
  })
})
