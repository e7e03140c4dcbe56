import { createAffinity } from '@limpet/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PoolFile } from '../config/pool-file.ts'
import { addBackend } from './draft.ts'
import { addPolicy, addWord, settleWords } from './pool-draft.ts'

/** The backends of a pool whose servers have these names and words, with the words that were refused. */
function settled(servers: readonly (readonly [name: string, word?: string])[]) {
  const file: PoolFile = {}
  const refused: string[] = []
  for (const [name, word] of servers) {
    const backend = addBackend(file, name, { url: 'http://a' }, 1)
    if (word !== undefined && addWord(file, backend, word) !== undefined) refused.push(word)
  }
  settleWords(file)
  const backends = file.backends ?? []
  return { backends, refused, names: backends.map(({ id, aliases = [] }) => [id, ...aliases].join(' ')) }
}

describe('the words of servers', () => {
  it.each<[Parameters<typeof settled>[0], readonly string[], readonly string[]]>([
    [
      [
        ['a', 's1'],
        ['b', 's2'],
      ],
      ['a s1', 'b s2'],
      [],
    ],
    [[['a', 'a'], ['b']], ['a', 'b'], []],
    [
      [
        ['a', 's1'],
        ['b', 's1'],
      ],
      ['a s1', 'b'],
      ['s1'],
    ],
    [
      [
        ['a', 's 1'],
        ['b', ''],
      ],
      ['a', 'b'],
      ['s 1', ''],
    ],
    [
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      ['b', 'a'],
      [],
    ],
    [[['a', 'b'], ['b']], ['b', 'b-2'], []],
    [
      [
        ['a', 'b'],
        ['b', 'x|y'],
      ],
      ['b', 'b-2 x|y'],
      [],
    ],
  ])('of %j become ids and aliases %j', (servers, names, refused) => {
    const found = settled(servers)
    expect([found.names, found.refused]).toEqual([names, refused])
  })

  it('leave ids apart that are cut to the same length', () => {
    const [one, other] = [`${'x'.repeat(58)}-1`, `${'x'.repeat(58)}-3`]
    const { backends } = settled([['a', one], ['b', other], [one], [other]])
    expect(new Set(backends.map(({ id }) => id)).size).toBe(4)
  })

  it('always make a pool, in which each word means its own server', () => {
    const long = `${'x'.repeat(58)}-long`
    const word = fc.constantFrom(
      'a',
      'b',
      'c',
      'a-2',
      'b-2',
      'x|y',
      `${long}1`,
      `${long}2`,
      `${'x'.repeat(58)}-2`,
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, fc.option(word, { nil: undefined })), { maxLength: 6 }),
        servers => {
          const { backends } = settled(
            servers.map(([name, own]) => (own === undefined ? [name] : [name, own])),
          )
          const { pool } = createAffinity({ backends, affinity: [] })
          const taken = new Set<string>()
          for (const [index, [, own]] of servers.entries()) {
            if (own === undefined || taken.has(own)) continue
            taken.add(own)
            expect(pool.named(own)?.backend.id, `the word ${own}`).toBe(backends[index]?.id)
          }
        },
      ),
    )
  })
})

it('adds a policy unless another has its cookie', () => {
  const file: PoolFile = {}
  expect([
    addPolicy(file, { cookie: { name: 'a' } }),
    addPolicy(file, { learn: { cookie: 'a' } }),
    addPolicy(file, { prefix: { cookie: 'b' } }),
    addPolicy(file, { learn: { header: 'a' } }),
    addPolicy(file, { route: { query: 'a' } }),
  ]).toEqual([true, false, true, true, true])
  expect(file.affinity).toHaveLength(4)
})
