import { expect, it } from 'vitest'
import { SkippedReport } from './skipped-report.ts'

it('tells of an entry once, and again after it was gone', () => {
  const report = new SkippedReport()
  const look = (...names: readonly string[]): readonly string[] => {
    for (const name of names) report.add('too long', name)
    return report.news()
  }
  expect(look('a', 'b')).toEqual(['too long (a, b)'])
  expect(look('a', 'b')).toEqual([])
  expect(look('b', 'c')).toEqual(['too long (c)'])
  expect(look()).toEqual([])
  expect(look('b')).toEqual(['too long (b)'])
})

it('keeps reasons apart, and needs no name', () => {
  const report = new SkippedReport()
  report.add('no slice')
  report.add('no port', 'x')
  report.add('no port', 'x')
  expect(report.news()).toEqual(['no slice', 'no port (x)'])
})

it('names five at the most, and none in full that is endless', () => {
  const report = new SkippedReport()
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) report.add('no', name)
  report.add('long', 'x'.repeat(100))
  expect(report.news()).toEqual(['no (a, b, c, d, e and 2 more)', `long (${'x'.repeat(80)})`])
})
