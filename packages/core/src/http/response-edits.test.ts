import { describe, expect, it } from 'vitest'
import { parseOption } from '../options/option-kind.ts'
import { editResponse, RESPONSE_EDITS, type ResponseFacts } from './response-edits.ts'

const FACTS: ResponseFacts = { backend: 'w1', pool: 'web', affinity: 'matched' }

function edited(options: object, fields: Record<string, string> = {}): object {
  const edits = parseOption(RESPONSE_EDITS, 'responseHeaders', options)
  if (edits !== undefined) editResponse(fields, edits, FACTS)
  return fields
}

describe('the edits of a response', () => {
  it.each([
    ['${backend}', 'w1'],
    ['${pool}/${backend} (${affinity})', 'web/w1 (matched)'],
    ['plain', 'plain'],
    ['$${backend}', '${backend}'],
    ['$1 {backend} $', '$1 {backend} $'],
    ['${backend}${backend}', 'w1w1'],
  ])('make of %j the value %j', (value, expected) => {
    expect(edited({ set: { 'X-Served-By': value } })).toEqual({ 'x-served-by': expected })
  })

  it('remove fields, and replace those of the backend', () => {
    expect(edited({ remove: ['Server'], set: { 'X-A': '${pool}' } }, { server: 's', 'x-a': 'b' })).toEqual({
      'x-a': 'web',
    })
  })

  it.each([
    ['${user}', 'has a variable that is not known, ${user}; known are ${backend}, ${pool}, ${affinity}'],
    ['${}', 'has a variable that is not known, ${}'],
    ['${backend}\n', 'has a character that no header may have'],
  ])('refuse %j, with its path', (value, problem) => {
    const parse = (): unknown => parseOption(RESPONSE_EDITS, 'responseHeaders', { set: { 'X-A': value } })
    expect(parse).toThrow(problem)
    expect(parse).toThrow('responseHeaders.set.X-A')
  })

  it('name every problem', () => {
    const parse = (): unknown =>
      parseOption(RESPONSE_EDITS, 'r', { set: { 'X-A': '${a}', 'X-B': 1, Connection: 'x' }, remove: ['a b'] })
    for (const path of ['r.set.X-A', 'r.set.X-B', 'r.set.Connection', 'r.remove[0]'])
      expect(parse).toThrow(path)
  })
})
