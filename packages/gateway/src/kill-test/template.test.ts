import { expect, test } from 'vitest'
import { filledJson, Template } from './template.ts'

test('fills variables in, in texts and in JSON', () => {
  const variables = new Map([
    ['session', 's1'],
    ['unique', 'u2'],
  ])
  const template = new Template('{{session}}/{{ unique }}/{{session}}')
  expect(template.render(variables)).toBe('s1/u2/s1')
  expect(template.names).toEqual(['session', 'unique'])
  expect(filledJson({ a: ['{{session}}', 1, null], b: { c: '{{unique}}' } }, variables)).toEqual({
    a: ['s1', 1, null],
    b: { c: 'u2' },
  })
})
