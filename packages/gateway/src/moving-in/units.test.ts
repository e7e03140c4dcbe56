import { expect, it } from 'vitest'
import { durationIn, integerIn, intervalIn, lifeIn, MAX_LIFE_MS, sizeIn } from './units.ts'

it.each([
  ['90', 's', '90s'],
  ['90', 'ms', '90ms'],
  ['120', 's', '2m'],
  ['1h30m', 's', '90m'],
  ['1.5h', 's', '90m'],
  ['1d 12h', 's', '36h'],
  ['1500ms', 's', '1500ms'],
  ['300us', 's', '1ms'],
  ['0', 's', '0s'],
  ['24d', 's', '24d'],
  ['25d', 's', undefined],
  ['1y', 's', undefined],
  ['', 's', undefined],
  ['5x', 's', undefined],
  ['-5s', 's', undefined],
  ['h', 's', undefined],
  ['1s'.repeat(21), 's', undefined],
] as const)('%j, of %s, is the duration %s', (text, bare, duration) => {
  expect(durationIn(text, bare)).toBe(duration)
})

it('takes longer times where a cookie may last them', () => {
  expect([durationIn('1y', 's', MAX_LIFE_MS), durationIn('401d', 's', MAX_LIFE_MS)]).toEqual([
    '365d',
    undefined,
  ])
})

it('brings an interval and a life within their bounds', () => {
  expect(['0', '1ms', '2s', '2d'].map(text => intervalIn(text, 's'))).toEqual([undefined, '10ms', '2s', '1d'])
  expect(['0', '1ms', '2s', '1y', 'x'].map(text => lifeIn(text, 's'))).toEqual([
    undefined,
    '1s',
    '2s',
    '24d',
    undefined,
  ])
})

it.each([
  ['10m', '10MiB'],
  ['010K', '10KiB'],
  ['8', '8B'],
  ['1G', '1GiB'],
  ['1t', undefined],
  ['1.5m', undefined],
  ['', undefined],
])('the size %j is %s', (text, size) => {
  expect(sizeIn(text)).toBe(size)
})

it.each([
  ['7', 7],
  ['1', 1],
  ['9', 9],
  ['0', undefined],
  ['10', undefined],
  ['7.5', undefined],
  ['', undefined],
  [undefined, undefined],
])('the number %j from 1 to 9 is %s', (text, number) => {
  expect(integerIn(text, 1, 9)).toBe(number)
})
