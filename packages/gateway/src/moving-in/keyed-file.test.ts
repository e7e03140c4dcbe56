import { expect, it } from 'vitest'
import { KeyReader } from './keyed-file.ts'
import { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { readYaml } from './yaml-reader.ts'

const [block = []] = readYaml('A:\n  Name: x\n  list: [a, b]\n  one: c\n  yes: True\n  map: { k: v, l: w }\n')
const ROOT: Statement = { name: '', args: [], line: 1, block }

it('finds keys in any case, and counts what it reads as taken', () => {
  const report = new Report()
  const keys = new KeyReader(report)
  expect([keys.text(ROOT, 'a', 'name'), keys.text(ROOT, 'a', 'none'), keys.text(undefined, 'a')]).toEqual([
    'x',
    undefined,
    undefined,
  ])
  expect([keys.isOn(ROOT, 'a', 'yes'), keys.isOn(ROOT, 'a', 'name'), keys.isOn(ROOT, 'b')]).toEqual([
    true,
    false,
    false,
  ])
  const left = ROOT.block?.[0]?.block?.filter(one => !report.isTaken(one)).map(({ name }) => name)
  expect(left).toEqual(['list', 'one', 'map'])
})

it('reads lists, maps and single texts', () => {
  const keys = new KeyReader(new Report())
  expect([
    keys.texts(ROOT, 'a', 'list'),
    keys.texts(ROOT, 'a', 'one'),
    keys.texts(ROOT, 'a', 'none'),
  ]).toEqual([['a', 'b'], ['c'], []])
  expect(keys.items(ROOT, 'a', 'map').map(({ name, args }) => [name, args[0]])).toEqual([
    ['k', 'v'],
    ['l', 'w'],
  ])
})
