import { expect, it } from 'vitest'
import { createSigner } from './signer.ts'

const [NEW, OLD] = ['new', 'old'].map(text => Buffer.from(text.repeat(12))) as [Buffer, Buffer]

it('signs with the newest secret, and verifies with all, the first time and again', () => {
  const signer = createSigner([NEW, OLD], 'subnet')
  for (const [signed, keyIndex] of [
    [signer.sign('w1'), 0],
    [createSigner([OLD], 'subnet').sign('w1'), 1],
  ] as const) {
    expect(signed).toMatch(/^w1\.[A-Za-z0-9+/]{43}$/)
    for (let time = 0; time < 2; time += 1) expect(signer.verify(signed)).toEqual({ text: 'w1', keyIndex })
  }
  expect(createSigner([NEW], 'subnet').verify(createSigner([OLD], 'subnet').sign('w1'))).toBeUndefined()
})

it('verifies no value of another purpose, nor one that was changed or is too long', () => {
  const signer = createSigner([NEW], 'subnet')
  const signed = signer.sign('w1')
  signer.verify(signed)
  for (const value of ['', 'w1', `x${signed}`, `${signed}x`, signed.replace('w1', 'w2'), signed.slice(0, -1)])
    expect(signer.verify(value), `the value ${value}`).toBeUndefined()
  expect(signer.verify(createSigner([NEW], 'other').sign('w1'))).toBeUndefined()
  expect(signer.verify(signer.sign('x'.repeat(4096 - 44)))?.text).toHaveLength(4096 - 44)
  expect(signer.verify(signer.sign('x'.repeat(4097 - 44)))).toBeUndefined()
})

it('takes at least one secret', () => {
  expect(() => createSigner([], 'subnet')).toThrow('createSigner() takes at least one secret')
})
