import { describe, expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { signedBackends, type SignedBackends } from './signed-backends.ts'

const NEW = Buffer.from('the newest secret of 32 bytes or more')
const OLD = Buffer.from('an older secret, also 32 bytes or more')

function names(secrets: readonly Uint8Array[], pool = poolOf('p'), purpose = 'pin/v1'): SignedBackends {
  return signedBackends({ pool, secrets, now: Date.now, steadyNow: Date.now }, purpose)
}

function poolOf(name: string, ids = 'ab'): LivePool {
  return new LivePool(
    name,
    Array.from(ids, id => ({ id, url: `http://${id}.test` })),
  )
}

describe('signed names of backends', () => {
  it('name their backend in every process that has the secret', () => {
    const value = names([NEW]).write('a')
    expect(names([NEW]).read(value)).toEqual({ kind: 'backend', id: 'a', renew: false })
  })

  it('reveal neither the id nor its length', () => {
    const pool = poolOf('p')
    pool.add({ id: 'a-backend-with-a-long-name', url: 'http://c.test' })
    const [short, long] = ['a', 'a-backend-with-a-long-name'].map(id => names([NEW], pool).write(id))
    expect(long).not.toContain('backend')
    expect(short?.length).toBe(long?.length)
  })

  it('of an older secret are good, and to be renewed by the newest', () => {
    const value = names([OLD]).write('b')
    const rotated = names([NEW, OLD])
    expect(rotated.read(value)).toEqual({ kind: 'backend', id: 'b', renew: true })
    expect(rotated.read(rotated.write('b'))).toEqual({ kind: 'backend', id: 'b', renew: false })
    expect(names([NEW]).read(value)).toEqual({ kind: 'invalid' })
  })

  it('of another pool or purpose are invalid', () => {
    const value = names([NEW]).write('a')
    expect(names([NEW], poolOf('q')).read(value)).toEqual({ kind: 'invalid' })
    expect(names([NEW], undefined, 'pin/v2').read(value)).toEqual({ kind: 'invalid' })
  })

  it('of a backend that has left are unknown, also where they were read before', () => {
    const pool = poolOf('p')
    const signed = names([NEW], pool)
    const value = signed.write('a')
    expect(signed.read(value)).toMatchObject({ kind: 'backend' })
    pool.remove('a')
    expect(signed.read(value)).toEqual({ kind: 'unknown' })
  })

  it.each([
    ['nothing', () => ''],
    ['an id', () => 'a'],
    ['another text', (value: string) => `x${value}`],
    ['another signature', (value: string) => `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`],
    ['a very long text', (value: string) => `${'x'.repeat(10_000)}${value}`],
  ])('are invalid when they are %s', (_, forge) => {
    const signed = names([NEW])
    expect(signed.read(forge(signed.write('a')))).toEqual({ kind: 'invalid' })
  })
})
