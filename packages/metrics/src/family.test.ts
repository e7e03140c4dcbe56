import { expect, it } from 'vitest'
import { labelsOf, withLabel } from './family.ts'

it('escapes the values of labels', () => {
  expect(labelsOf({ a: 'b', c: 'say "hi"\\\n' })).toBe(String.raw`{a="b",c="say \"hi\"\\\n"}`)
  expect(withLabel('{a="b"}', 'code', '5xx')).toBe('{a="b",code="5xx"}')
})
