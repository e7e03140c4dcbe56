import { expect, it } from 'vitest'
import { lineOf, Report } from './report.ts'
import type { Statement } from './statement.ts'

function statement(name: string, line: number, block?: readonly Statement[]): Statement {
  return { name, args: [], line, ...(block !== undefined && { block }) }
}

it('reports each directive that was not taken, and a lost block as a whole', () => {
  const report = new Report()
  const kept = statement('kept', 4)
  const server = statement('server', 3, [kept, statement('unknown', 5)])
  const gone = statement('mail', 1, [statement('inner', 2)])
  report.take(server, kept)
  report.lost(gone, 'limpet sends no mail')
  report.leftovers([gone, server, statement('last', 9)], ({ name }) => ({ what: name, why: 'no equivalent' }))
  expect(report.findings.map(({ line, what, why }) => [line, what, why])).toEqual([
    [1, 'mail', 'limpet sends no mail'],
    [5, 'unknown', 'no equivalent'],
    [9, 'last', 'no equivalent'],
  ])
  expect(report.isComplete).toBe(false)
})

it('tells a finding once, and one that is only changed leaves the move complete', () => {
  const report = new Report()
  const directive = { ...statement('hash', 3), path: 'http.hash' }
  report.changed(directive, 'it is consistent')
  report.changed(directive, 'it is consistent')
  report.changed(statement('first', 1), 'why')
  expect(report.findings.map(({ line, what }) => [line, what])).toEqual([
    [1, 'first'],
    [3, 'http.hash'],
  ])
  expect(report.isComplete).toBe(true)
})

it('writes a text on one line of a terminal', () => {
  expect(lineOf('a\nb\u001b[2J')).toBe('a b [2J')
  expect(lineOf('x'.repeat(61))).toBe(`${'x'.repeat(60)}…`)
})
