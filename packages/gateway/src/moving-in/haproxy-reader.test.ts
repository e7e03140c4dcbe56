import { expect, it } from 'vitest'
import { readHaproxy } from './haproxy-reader.ts'

it('reads a line as a directive, and a section until the next', () => {
  expect(
    readHaproxy(`# a comment
global
daemon # not read
  acl ok path_beg /a\\ b\\tc "x y"'#z' \\#
backend app one

  server s1 a:1`),
  ).toEqual([
    {
      name: 'global',
      args: [],
      line: 2,
      block: [
        { name: 'daemon', args: [], line: 3 },
        { name: 'acl', args: ['ok', 'path_beg', '/a b\tc', 'x y#z', '#'], line: 4 },
      ],
    },
    {
      name: 'backend',
      args: ['app', 'one'],
      line: 5,
      block: [{ name: 'server', args: ['s1', 'a:1'], line: 7 }],
    },
  ])
})

it('keeps empty words in quotes, and backslashes in single quotes', () => {
  const [section] = readHaproxy(String.raw`global
  log "" 'a\b' "a\"b"`)
  expect(section?.block?.[0]?.args).toEqual(['', String.raw`a\b`, 'a"b'])
})

it('takes a condition of the preprocessor anywhere, and refuses other directives without a section', () => {
  expect(readHaproxy('.if defined(A)\nglobal').map(({ name }) => name)).toEqual(['.if', 'global'])
  expect(() => readHaproxy('\nserver a b')).toThrow('line 2: a directive stands before the first section')
  expect(() => readHaproxy('global\n log "a')).toThrow('line 2: the line ends within a quoted text')
})
