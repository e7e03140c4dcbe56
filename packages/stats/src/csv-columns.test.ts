import { expect, it } from 'vitest'
import { CSV_HEAD, csvLine } from './csv-columns.ts'

/** The value of a column, as a reader finds it: by the head's names. */
function valueOf(line: string, column: string): string | undefined {
  return line.slice(0, -1).split(',')[CSV_HEAD.slice(2, -1).split(',').indexOf(column)]
}

it('has a field for each column of the head, and one more that is empty', () => {
  const line = csvLine({ pxname: 'web', svname: 'w1', type: 2, scur: 1.6, addr: undefined })
  expect(line.split(',')).toHaveLength(CSV_HEAD.split(',').length)
  expect(line.endsWith(',\n')).toBe(true)
  expect(['pxname', 'svname', 'type', 'scur', 'addr'].map(column => valueOf(line, column))).toEqual([
    'web',
    'w1',
    '2',
    '2',
    '',
  ])
})

it('quotes a field with a comma, a quote or a break', () => {
  expect(csvLine({ pxname: 'a,"b"\r\nc', svname: '', type: 0 })).toMatch(/^"a,""b"" c",,/)
})
