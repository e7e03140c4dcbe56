import { describe, expect, it } from 'vitest'
import { deriveKeys, opaqueTag, signText, verifyText } from './signing-key.ts'

const A = Buffer.from('secret A of 32 bytes or more, say')
const B = Buffer.from('secret B of 32 bytes or more, say')

function keysOf(secrets: readonly Uint8Array[], purpose = 'test') {
  const keys = deriveKeys(secrets, purpose)
  const [first] = keys
  if (first === undefined) throw new Error('no key')
  return { keys, first }
}

describe('a signing key', () => {
  it('signs what it verifies', () => {
    const { keys, first } = keysOf([A])
    expect(verifyText(signText('hello.you', first), keys)).toEqual({ text: 'hello.you', keyIndex: 0 })
  })

  it('is the same in every process that has the secret', () => {
    expect(signText('hello', keysOf([A]).first)).toBe(signText('hello', keysOf([Buffer.from(A)]).first))
  })

  it.each([
    ['secret', keysOf([B])],
    ['purpose', keysOf([A], 'other')],
  ])('says nothing to one of another %s [T-04]', (_, other) => {
    expect(verifyText(signText('hello', keysOf([A]).first), other.keys)).toBeUndefined()
    expect(opaqueTag('b1', other.first)).not.toBe(opaqueTag('b1', keysOf([A]).first))
  })

  it('is not the secret itself [T-04]', () => {
    expect(keysOf([A]).first.export().equals(A)).toBe(false)
  })

  it('tells by its place in the list which secret it came from', () => {
    const { keys } = keysOf([A, B])
    expect(verifyText(signText('hello', keysOf([A]).first), keys)?.keyIndex).toBe(0)
    expect(verifyText(signText('hello', keysOf([B]).first), keys)?.keyIndex).toBe(1)
  })

  it('is the first of those that match', () => {
    const { keys, first } = keysOf([A, B, A])
    expect(verifyText(signText('hello', first), keys)?.keyIndex).toBe(0)
  })
})

describe('an opaque tag', () => {
  const { first } = keysOf([A])
  const ids = Array.from({ length: 200 }, (_, n) => `backend-${n}`)

  it('is 16 characters of base64url, and each its own', () => {
    const tags = ids.map(id => opaqueTag(id, first))
    expect(tags.filter(tag => !/^[A-Za-z0-9_-]{16}$/.test(tag))).toEqual([])
    expect(new Set(tags).size).toBe(ids.length)
  })

  it('tells neither the id nor its place [T-10]', () => {
    const tags = ids.map(id => opaqueTag(id, first))
    expect(tags.filter((tag, n) => tag.includes(ids[n] ?? '') || /^\d+$/.test(tag))).toEqual([])
    const rising = tags.filter((tag, n) => n > 0 && tag > (tags[n - 1] ?? ''))
    expect(rising.length).toBeGreaterThan(60)
    expect(rising.length).toBeLessThan(140)
  })
})
