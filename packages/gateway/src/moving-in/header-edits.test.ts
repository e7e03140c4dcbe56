import { expect, it } from 'vitest'
import type { PoolFile } from '../config/pool-file.ts'
import { editHeader, type HeaderSide } from './header-edits.ts'

function edit(side: HeaderSide, ...edits: readonly (readonly [name: string, value?: string])[]) {
  const file: PoolFile = {}
  const results = edits.map(([name, value]) =>
    editHeader(file, side, name, value, text => text.includes('$')),
  )
  return { file, results }
}

it('sets and removes fields, the last value of each', () => {
  const { file, results } = edit('responseHeaders', ['X-A', '1'], ['X-A', '2'], ['Server'], ['Server'])
  expect(results).toEqual(['taken', 'taken', 'taken', 'taken'])
  expect(file).toEqual({ responseHeaders: { set: { 'X-A': '2' }, remove: ['Server'] } })
})

it.each<[HeaderSide, string, string | undefined, unknown]>([
  ['requestHeaders', 'X-Forwarded-For', '$remote', 'anyway'],
  ['responseHeaders', 'X-Forwarded-For', '1', 'taken'],
  ['requestHeaders', 'Connection', '', 'anyway'],
  ['responseHeaders', 'Transfer-Encoding', undefined, 'anyway'],
  ['requestHeaders', 'Authorization', 'Basic x', { why: 'the value may be a secret; set it by hand' }],
  ['requestHeaders', 'X-API-Key', 'x', { why: 'the value may be a secret; set it by hand' }],
  ['requestHeaders', 'Authorization', undefined, 'taken'],
  ['requestHeaders', 'X-A', '$x', { why: 'limpet sets constant values only' }],
  ['requestHeaders', 'X-A', 'a\nb', { why: 'the value has control characters' }],
  ['requestHeaders', 'a b', '1', { why: 'the name of the field is not a token' }],
])('of %s: %s to %j is %j', (side, name, value, result) => {
  const { results, file } = edit(side, [name, value] as [string, string])
  expect(results).toEqual([result])
  expect(Object.keys(file)).toHaveLength(result === 'taken' ? 1 : 0)
})
