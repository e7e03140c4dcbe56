import { expect, it } from 'vitest'
import { deriveKeys } from '../../signing/signing-key.ts'
import { MAX_COOKIE, prefixMarks } from './prefix-mark.ts'

const [NEW, OLD] = ['new', 'old'].map(text => Buffer.from(text.repeat(12))) as [Buffer, Buffer]

function marksOf(...secrets: readonly Buffer[]) {
  return prefixMarks(deriveKeys(secrets, 'prefix'))
}

const ample = (): { left: number } => ({ left: 100 })

it.each(['', 's%3Aabc.def', 'a~b~c', 'w1.x~'])('gives back the value %j as it was', own => {
  const marks = marksOf(NEW, OLD)
  const value = marks.write('w1', own)
  expect(value.endsWith(`~${own}`)).toBe(true)
  expect(marks.read(value, ample())).toEqual({ token: 'w1', own, keyIndex: 0 })
  expect(marks.read(marksOf(OLD).write('w1', own), ample())).toEqual({ token: 'w1', own, keyIndex: 1 })
})

it('takes no mark of another value, of another backend or of another secret', () => {
  const marks = marksOf(NEW)
  const value = marks.write('w1', 'mine')
  marks.read(value, ample())
  for (const wrong of [
    '',
    'mine',
    value.replace('mine', 'other'),
    value.replace('w1', 'w2'),
    `x${value}`,
    ` ${value}`,
  ])
    expect(marks.read(wrong, ample()), `the value ${wrong}`).toBeUndefined()
  expect(marks.read(marksOf(OLD).write('w1', 'mine'), ample())).toBeUndefined()
  const long = marks.write('w1', 'x'.repeat(MAX_COOKIE))
  expect(marks.read(long, ample())).toBeUndefined()
})

it('verifies a value once, and none without a budget', () => {
  const marks = marksOf(NEW, OLD)
  const value = marks.write('w1', 'mine')
  expect(marks.read(value, { left: 0 })).toBeUndefined()
  const budget = { left: 2 }
  expect(marks.read(value, budget)?.own).toBe('mine')
  expect(budget.left).toBe(0)
  expect(marks.read(value, budget)?.own).toBe('mine')
})
