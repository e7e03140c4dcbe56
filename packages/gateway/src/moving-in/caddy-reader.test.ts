import { expect, it } from 'vitest'
import { readCaddyfile } from './caddy-reader.ts'

it('reads a file without a block at its top as one site', () => {
  expect(readCaddyfile(':80 # all\n\nlog\nreverse_proxy a:1 {\n  lb_policy cookie\n}\n')).toEqual([
    {
      name: 'site',
      args: [':80'],
      line: 1,
      block: [
        { name: 'log', args: [], line: 3 },
        {
          name: 'reverse_proxy',
          args: ['a:1'],
          line: 4,
          block: [{ name: 'lb_policy', args: ['cookie'], line: 5 }],
        },
      ],
    },
  ])
})

it('reads options, imports and sites, whose addresses may stand on several lines', () => {
  const blocks = readCaddyfile('import all\n{\n  debug\n}\na.test,\nb.test {\n  root /a\n}\nimport last')
  expect(blocks.map(({ name, args, line }) => [name, args, line])).toEqual([
    ['import', ['all'], 1],
    ['options', [], 2],
    ['site', ['a.test,', 'b.test'], 5],
    ['import', ['last'], 9],
  ])
  expect(blocks[2]?.block).toEqual([{ name: 'root', args: ['/a'], line: 7 }])
})

it('reads quotes, heredocs and continued lines', () => {
  const [site] = readCaddyfile(
    'a.test {\n  respond "say \\"{\\"" 200\n  body `a\nb` 200\n  text <<END\n  one\n  END\n  header \\\n    X-A 1\n  last\n}',
  )
  expect(site?.block).toEqual([
    { name: 'respond', args: ['say "{"', '200'], line: 2 },
    { name: 'body', args: ['a\nb', '200'], line: 3 },
    { name: 'text', args: ['  one\n'], line: 5 },
    { name: 'header', args: ['X-A', '1'], line: 8 },
    { name: 'last', args: [], line: 10 },
  ])
})

it.each([
  ['a {\n  b', 'line 1: the file ends within this block; a "}" is missing'],
  ['a {\n}\n}', 'line 3: a "}" has no "{"'],
  ['a\nb\n}', 'line 3: a "}" has no "{"'],
  ['a {\n}\nb', 'line 3: a "{" is missing behind the addresses of a site'],
  ['a "b', 'line 1: the file ends within a quoted text'],
  ['a <<END\nb', 'line 1: the file ends within a text that END should end'],
  [`a ${'{\nb '.repeat(40)}`, 'blocks are nested more than 32 deep'],
])('refuses %j', (text, message) => {
  expect(() => readCaddyfile(text)).toThrow(message)
})

it('reads an empty file as nothing', () => {
  expect(readCaddyfile('# nothing\n')).toEqual([])
})
