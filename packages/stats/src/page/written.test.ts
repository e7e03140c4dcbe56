import { expect, it } from 'vitest'
import {
  addressText,
  bytesText,
  clockText,
  countText,
  durationText,
  durationWords,
  msText,
  rateText,
  reasonsText,
  things,
} from './written.ts'

it.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567.6, '1,234,568'],
])('writes the count %d as %s', (count, text) => {
  expect(countText(count)).toBe(text)
})

it.each([
  [0, '0 s'],
  [-1_000, '0 s'],
  [59_499, '59 s'],
  [59_500, '1 min'],
  [252_000, '4 min 12 s'],
  [3_600_000, '1 h'],
  [3_601_000, '1 h'],
  [90_061_000, '1 d 1 h'],
])('writes a duration of %d ms as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

it('writes a duration in words, one of each unit in the singular', () => {
  expect([61_000, 7_200_000, 86_400_000].map(durationWords)).toEqual([
    '1 minute 1 second',
    '2 hours',
    '1 day',
  ])
})

it.each([
  [undefined, '–'],
  [0.26, '0.3 ms'],
  [9.94, '9.9 ms'],
  [12.4, '12 ms'],
  [65_000, '1 min 5 s'],
])('writes a latency of %s as %s', (ms, text) => {
  expect(msText(ms)).toBe(text)
})

it.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_536, '1.5 KiB'],
  [5 * 1024 ** 4, '5 TiB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

it('writes rates, things, reasons, times and addresses', () => {
  expect([0.24, 9.96, 1_200].map(rateText)).toEqual(['0.2', '10', '1,200'])
  expect([things(1, 'session'), things(0, 'session')]).toEqual(['1 session', '0 sessions'])
  expect(reasonsText({ drained: 12, full: 0, failed: 3 })).toBe('12 drained, 3 failed')
  expect(clockText(Date.UTC(2030, 0, 1, 4, 5, 6))).toBe('04:05:06')
  expect(['http://a:80/', 'https://a/b/', 'unix:/run/a'].map(url => addressText({ url }))).toEqual([
    'http://a:80',
    'https://a/b/',
    'unix:/run/a',
  ])
})
