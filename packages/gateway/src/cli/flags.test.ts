import { expect, it } from 'vitest'
import { hint, parseFlags, parseOnlyFlags } from './flags.ts'

const OPTIONS = { config: { type: 'string' }, watch: { type: 'boolean', default: false } } as const

it('reads flags and words', () => {
  expect(parseFlags(['check', '--config', 'a'], OPTIONS)).toMatchObject({
    values: { config: 'a', watch: false },
    positionals: ['check'],
  })
})

it.each([
  [['--confg', 'a'], '--confg is not known; did you mean --config?'],
  [['--zzz'], '--zzz is not known; it takes --config, --watch'],
  [['--config'], 'argument missing'],
  [['a'], 'a word is not known; there are flags only'],
  [['a', 'b'], '2 words are not known; there are flags only'],
])('refuses %j', (args, message) => {
  expect(() => parseOnlyFlags(args, OPTIONS)).toThrow(message)
})

it('suggests the nearest word, or tells all', () => {
  expect([hint('chek', ['check', 'proxy']), hint('zzz', ['check', 'proxy'])]).toEqual([
    '; did you mean check?',
    '; it takes check, proxy',
  ])
})
