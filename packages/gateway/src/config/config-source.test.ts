import { expect, it } from 'vitest'
import { ConfigError } from './config.ts'
import { parseText, readSource } from './config-source.ts'

function problemsOf(text: string): readonly string[] {
  try {
    parseText(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problem => problem.text)
    throw error
  }
  return []
}

it('reads YAML and JSON', () => {
  expect(parseText('pools: { web: [1, "2"] }')).toEqual({ pools: { web: [1, '2'] } })
  expect(parseText('{"pools": null}')).toEqual({ pools: null })
})

it.each([
  ['', ['the file is empty; it takes at least pools']],
  ['# nothing', ['the file is empty; it takes at least pools']],
  ['a: 1\na: 2', ['line 2, column 1: Map keys must be unique']],
  ['token: *hush', ['it has an alias without its anchor, or too many aliases (ReferenceError)']],
  ['token: @hush', ['line 1, column 8: a text that begins with a character of YAML; it needs quotes']],
  ['token: "hush\\q"', ['line 1, column 13: an escape that is none; a text with \\ needs single quotes']],
])('tells of %j what is wrong, and where', (text, problems) => {
  const found = problemsOf(text)
  expect(found).toEqual(problems)
  expect(found.join()).not.toContain('hush')
})

it('stops at files that were made to hurt, and tells of no more than 20 problems', () => {
  const bomb = [
    'a: &a [x]',
    ...Array.from(
      { length: 9 },
      (_, n) => `${'bcdefghij'[n]}: &${'bcdefghij'[n]} [${`*${'abcdefghi'[n]}, `.repeat(9)}]`,
    ),
  ]
  expect(problemsOf(bomb.join('\n'))).toEqual([expect.stringContaining('too many aliases')])
  expect(problemsOf(Array.from({ length: 50 }, (_, n) => `a${n}: @x`).join('\n'))).toHaveLength(20)
})

it('tells of a file that is not there', () => {
  expect(() => readSource('/no/such/limpet.yaml')).toThrow(ConfigError)
})
