import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/** The figures of the page "At scale": computed anew from its inputs, by its formulas. */

const PAGE = readFileSync(new URL('../../examples/site/pages/scale.md', import.meta.url), 'utf8')

/** The cells of the table behind a marker, without its head. */
function rowsOf(marker: string): readonly (readonly string[])[] {
  const [, behind = ''] = PAGE.split(`<!-- ${marker} -->\n\n`)
  const [table = ''] = behind.split('\n\n')
  return table
    .split('\n')
    .slice(2)
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.replaceAll('`', '').trim()),
    )
}

const inputs = new Map(rowsOf('inputs').map(([name = '', value]) => [name, Number(value)]))

function input(name: string): number {
  return inputs.get(name) ?? Number.NaN
}

function count(text = ''): number {
  return Number(text.replaceAll(',', ''))
}

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

function percent(share: number): string {
  return `${share < 0.1 ? (100 * share).toFixed(1) : (100 * share).toFixed(0)} %`
}

function bytes(value: number): string {
  return value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB` : `${number.format(value / 1e6)} MB`
}

describe('the page "At scale"', () => {
  test('names all inputs', () => {
    expect([...inputs.keys()]).toEqual(['M', 'R', 'w', 'l', 'g'])
    for (const value of inputs.values()) expect(value).toBeGreaterThan(0)
  })

  test('has scenarios that follow from its inputs', () => {
    const rows = rowsOf('scenarios')
    expect(rows.length).toBeGreaterThan(3)
    for (const row of rows) {
      const [sessions = 0, ttl = 0, processes = 0] = row.slice(0, 3).map(count)
      const writes = (10 * sessions) / ttl
      const lookups = writes * (processes - 1)
      expect(row.slice(3)).toEqual([
        number.format(writes),
        number.format(lookups),
        percent((writes * (processes - 1) * (input('w') + input('l'))) / 1e6),
        percent(((lookups / processes) * input('g')) / 1e6),
        bytes(sessions * input('R')),
        bytes(sessions * input('M')),
      ])
    }
  })

  test('says how many sessions one Redis carries', () => {
    const carried = (0.5 * 3_600 * 1e6) / (10 * 5 * (input('w') + input('l')))
    expect(PAGE).toContain(`sessions: ${(carried / 1e6).toFixed(1)} million with a`)
  })
})
