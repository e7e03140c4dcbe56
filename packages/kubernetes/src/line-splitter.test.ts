import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'
import { LineSplitter } from './line-splitter.ts'

it('lines are the same, wherever their text was cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1 }).map(line => line.replaceAll(/\s/g, '_'))),
      fc.array(fc.nat(20)),
      (lines, cuts) => {
        const text = lines.map(line => `${line}\n`).join('')
        const splitter = new LineSplitter()
        const seen: string[] = []
        let at = 0
        for (const length of [...cuts, text.length]) {
          seen.push(...splitter.push(text.slice(at, at + length)))
          at += length
        }
        expect(seen).toEqual(lines)
      },
    ),
  )
})

it('a line without an end is an error before it fills the memory', () => {
  const splitter = new LineSplitter()
  const piece = 'x'.repeat(1024 * 1024)
  expect(() => {
    for (let count = 0; count < 17; count += 1) splitter.push(piece)
  }).toThrow('a line of more than 16777216 characters')
})

it('pauses grow up to half a minute, each less a random share', () => {
  expect([0, 1, 2, 3, 8, 9, 1_000].map(failures => backoffMs(failures, 1))).toEqual([
    0, 200, 400, 800, 25_600, 30_000, 30_000,
  ])
  expect(backoffMs(3, 0)).toBe(400)
})
