import { describe, expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { backendTags } from './backend-tags.ts'
import { deriveKeys } from '../signing/signing-key.ts'

function tagsOf(pool: LivePool) {
  const [key] = deriveKeys([Buffer.from('a secret of 32 bytes or more, yes')], 'test')
  if (key === undefined) throw new Error('no key')
  return backendTags(pool, key)
}

const backend = (id: string) => ({ id, url: `http://${id}.test:80` })

describe('backend tags', () => {
  it('lead from an id to its tag and back', () => {
    const tags = tagsOf(new LivePool('p', [backend('a'), backend('b')]))
    expect(tags.idOf(tags.tagOf('a'))).toBe('a')
    expect(tags.idOf(tags.tagOf('b'))).toBe('b')
  })

  it('do not depend on the place or the address of a backend [LB004] [T-10]', () => {
    const here = tagsOf(new LivePool('p', [backend('a'), backend('b')]))
    const there = tagsOf(new LivePool('p', [backend('b'), { id: 'a', url: 'http://192.0.2.7:8080' }]))
    expect(there.idOf(here.tagOf('a'))).toBe('a')
  })

  it.each(['', 'a', 'unknown', '__proto__', 'constructor'])('know no backend called %j [T-13]', tag => {
    expect(tagsOf(new LivePool('p', [backend('a')])).idOf(tag)).toBeUndefined()
  })

  it('follow the pool', () => {
    const pool = new LivePool('p', [backend('a')])
    const tags = tagsOf(pool)
    const [a, b] = [tags.tagOf('a'), tags.tagOf('b')]
    expect(tags.idOf(b)).toBeUndefined()
    pool.add(backend('b'))
    expect(tags.idOf(b)).toBe('b')
    pool.remove('a')
    expect(tags.idOf(a)).toBeUndefined()
    // Its last request may still be in flight.
    expect(tags.tagOf('a')).toBe(a)
  })
})
