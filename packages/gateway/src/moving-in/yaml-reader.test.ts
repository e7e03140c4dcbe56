import { expect, it } from 'vitest'
import { readYaml } from './yaml-reader.ts'

it('reads keys, lists and scalars as they are written, with their paths and lines', () => {
  expect(readYaml('version: 1.10\nhosts: [a, 0x1F]\nnone:\nmap:\n  - on: yes\n')).toEqual([
    [
      { name: 'version', path: 'version', line: 1, args: ['1.10'] },
      {
        name: 'hosts',
        path: 'hosts',
        line: 2,
        args: [],
        block: [
          { name: '-', path: 'hosts[0]', line: 2, args: ['a'] },
          { name: '-', path: 'hosts[1]', line: 2, args: ['0x1F'] },
        ],
      },
      { name: 'none', path: 'none', line: 3, args: [] },
      {
        name: 'map',
        path: 'map',
        line: 4,
        args: [],
        block: [
          {
            name: '-',
            path: 'map[0]',
            line: 5,
            args: [],
            block: [{ name: 'on', path: 'map[0].on', line: 5, args: ['yes'] }],
          },
        ],
      },
    ],
  ])
})

it('reads each document, and no alias', () => {
  const documents = readYaml('a: &x 1\nb: *x\n---\nc: 2\n')
  expect(documents.map(statements => statements.map(({ name, args }) => [name, args]))).toEqual([
    [
      ['a', ['1']],
      ['b', []],
    ],
    [['c', ['2']]],
  ])
})

it.each([
  ['a: 1\n b: 2', /^line \d: it is no YAML/],
  ['a: "b', /^line 1: it is no YAML/],
  ['a: ]', /^line 1: it is no YAML/],
  [`a: ${'['.repeat(40)}`, /^line 1: it is nested more than 32 deep/],
  [Array.from({ length: 40 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), /nested more than 32 deep/],
  ['#'.repeat(256 * 1024 + 1), /a file of YAML may have 256 KiB/],
])('refuses %j', (text, message) => {
  expect(() => readYaml(text)).toThrow(message)
})
