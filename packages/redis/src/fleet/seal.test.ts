import { expect, it } from 'vitest'
import { Seal, type Sealed } from './seal.ts'

const [NEW, OLD] = ['new', 'old'].map(text => Buffer.from(text.repeat(12))) as [Buffer, Buffer]
const TEXTS: Sealed<string> = {
  purpose: 'texts',
  maxLength: 200,
  parse: value => (typeof value === 'string' ? value : undefined),
}

it('opens the seals of all secrets, and seals with the newest', () => {
  const both = new Seal([NEW, OLD], 'shop', TEXTS)
  expect(both.open(new Seal([OLD], 'shop', TEXTS).seal('a'))).toBe('a')
  expect(new Seal([NEW], 'shop', TEXTS).open(both.seal('ü'))).toBe('ü')
  expect(new Seal([OLD], 'shop', TEXTS).open(both.seal('a'))).toBeUndefined()
})

it.each([
  ['another pool', new Seal([NEW], 'api', TEXTS)],
  ['another purpose', new Seal([NEW], 'shop', { ...TEXTS, purpose: 'reports' })],
])('does not open a seal of %s', (_, other) => {
  expect(new Seal([NEW], 'shop', TEXTS).open(other.seal('a'))).toBeUndefined()
})

it('opens nothing that was changed, cut or is too long, nor a value of another kind', () => {
  const seal = new Seal([NEW], 'shop', TEXTS)
  const sealed = seal.seal('a text')
  const bytes = Buffer.from(sealed, 'base64url')
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8((changed.readUInt8(at) ^ 1) & 255, at)
    expect(seal.open(changed.toString('base64url')), `byte ${at}`).toBeUndefined()
  }
  for (const text of ['', 'x', sealed.slice(0, -2), sealed.slice(0, 37), seal.seal('x'.repeat(200))])
    expect(seal.open(text)).toBeUndefined()
  const numbers = new Seal<number>([NEW], 'shop', { ...TEXTS, parse: Number })
  expect(seal.open(numbers.seal(7))).toBeUndefined()
})

it('never writes the same twice, and names a backend the same in all gateways of one secret', () => {
  const [one, other] = [new Seal([NEW, OLD], 'shop', TEXTS), new Seal([NEW], 'shop', TEXTS)]
  expect(one.seal('a')).not.toBe(one.seal('a'))
  expect(one.fieldOf('w1')).toBe(other.fieldOf('w1'))
  expect(one.fieldOf('w1')).toMatch(/^[\w-]{22}$/)
  const strangers = [one.fieldOf('w2'), new Seal([OLD], 'shop', TEXTS).fieldOf('w1')]
  expect(strangers).not.toContain(one.fieldOf('w1'))
})
