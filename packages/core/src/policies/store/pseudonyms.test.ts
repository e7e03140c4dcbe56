import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LivePool } from '../../pool/live-pool.ts'
import { MemoryStore } from './memory-store.ts'
import { type Pseudonyms, pseudonyms } from './pseudonyms.ts'

const [NEW = new Uint8Array(), OLD = new Uint8Array()] = ['new', 'old'].map(text =>
  Buffer.from(text.repeat(12)),
)

function namesOf(secret = NEW, purpose = 'test', ids: readonly string[] = ['a', 'b']): Pseudonyms {
  const pool = new LivePool(
    'p',
    ids.map(id => ({ id, url: 'http://127.0.0.1:80' })),
  )
  const [names] = pseudonyms(pool, [secret], purpose)
  if (names === undefined) throw new Error('no names')
  return names
}

describe('names in a shared store', () => {
  it('are the same in every process that has the secret, and others under another secret or purpose', () => {
    const name = namesOf().nameOf('session-1')
    expect(name).toMatch(/^[\w-]{22}$/)
    expect(namesOf().nameOf('session-1')).toBe(name)
    expect(namesOf(OLD).nameOf('session-1')).not.toBe(name)
    expect(namesOf(NEW, 'other').nameOf('session-1')).not.toBe(name)
    expect(namesOf().nameOf('session-2')).not.toBe(name)
  })

  it('lead to the entry of the session in memory, whatever the id', () => {
    const names = namesOf()
    const hash = new Uint32Array(2)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (id, other) => {
        const store = new MemoryStore({ hashKey: names.hashKey })
        store.set(id, 'a', 1_000)
        store.set(`${other}!`, 'b', 1_000)
        expect(names.hashOf(names.nameOf(id), hash)).toBe(true)
        store.deleteHash(hash[0] ?? 0, hash[1] ?? 0)
        expect(store.get(id)).toBeUndefined()
        expect(store.size).toBe(id === `${other}!` ? 0 : 1)
      }),
    )
  })

  it.each(['', 'short', 'x'.repeat(23), '!'.repeat(22)])('are no other texts: %j', text => {
    expect(namesOf().hashOf(text, new Uint32Array(2))).toBe(false)
  })

  it('name backends by tags that only the same secret resolves', () => {
    const tag = namesOf().tags.tagOf('a')
    expect(tag).toMatch(/^[\w-]{16}$/)
    expect([
      namesOf().tags.idOf(tag),
      namesOf(OLD).tags.idOf(tag),
      namesOf(NEW, 'test', ['b']).tags.idOf(tag),
    ]).toEqual(['a', undefined, undefined])
  })

  it('follow the order of the secrets', () => {
    const pool = new LivePool('p', [])
    expect(pseudonyms(pool, [NEW, OLD], 'test').map(names => names.nameOf('s'))).toEqual(
      [NEW, OLD].map(secret => namesOf(secret).nameOf('s')),
    )
  })
})
