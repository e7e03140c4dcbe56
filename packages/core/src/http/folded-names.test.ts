import { describe, expect, it } from 'vitest'
import { effectiveLines } from './effective-lines.ts'
import { parseOption } from '../options/option-kind.ts'
import { HEADER_EDITS } from './header-edits.ts'
import type { HeaderFields } from './heads.ts'
import { wireFields } from './wire-fields.ts'

/** The names of the lines that are left of the client's, one of each, after an application's edits. */
function left(names: string, edit: (headers: HeaderFields) => void = () => {}, operator = {}): string {
  const lines = names.split(' ').flatMap(name => [name, 'client'])
  const headers: HeaderFields = {}
  for (const [lower] of wireFields(lines)) headers[lower] = 'client'
  edit(headers)
  const effective = effectiveLines(lines, headers, parseOption(HEADER_EDITS, 'requestHeaders', operator))
  const { rawHeaders, headers: fields } = effective ?? { rawHeaders: lines, headers }
  expect(Object.keys(fields).toSorted()).toEqual([...wireFields(rawHeaders).keys()].toSorted())
  return wireTexts(rawHeaders)
}

function wireTexts(lines: readonly string[]): string {
  return [...wireFields(lines).values()].map(({ name, values }) => `${name}=${values.join()}`).join(' ')
}

const alice = (name: string) => (headers: HeaderFields) => void (headers[name] = 'alice')

describe('a second spelling of a field, with _ in place of -', () => {
  it.each<[string, string, (headers: HeaderFields) => void]>([
    ['X_User', 'x-user=alice', alice('x-user')],
    ['X_USER X-User', 'X-User=alice', alice('x-user')],
    ['x_user-id X-User_Id', 'x-user-id=alice', alice('x-user-id')],
    ['X-User', 'x_user=alice', alice('x_user')],
    ['X-User X_User', 'X_User=alice', alice('x_user')],
    ['X_User', '', headers => void (headers['x-user'] = undefined)],
    ['X-User X_User', '', headers => void delete headers['x-user']],
    // The application has set the client's own value: no edit to be seen.
    ['X-User X_User', 'X-User=client', () => {}],
    ['Content-Length Content_Length', 'Content-Length=client', () => {}],
  ])('%s of a client is %j behind an application', (names, expected, edit) => {
    expect(
      left(`${names} X-A`, edit)
        .replace(/ ?X-A=client/, '')
        .trim(),
    ).toBe(expected)
  })

  it.each<[string, string, object]>([
    ['X_User', 'X-User=gateway', { set: { 'X-User': 'gateway' } }],
    ['X-User', 'X_User=gateway', { set: { X_User: 'gateway' } }],
    ['X_User X-User', '', { remove: ['X-User'] }],
    ['X_User', '', { remove: ['X-User'] }],
    ['X-User', '', { remove: ['x_user'] }],
    ['X_User', 'X-User=1 X_User=2', { set: { 'X-User': '1', X_User: '2' } }],
  ])('%s of a client is %j behind an operator’s %j', (names, expected, operator) => {
    expect(left(names, () => {}, operator)).toBe(expected)
  })

  it('is the application’s to write', () => {
    const both = (headers: HeaderFields) => void Object.assign(headers, { 'x-user': '1', x_user: '2' })
    expect(left('X-A', both)).toBe('X-A=client x-user=1 x_user=2')
  })

  it.each(['X_User', 'x_a x_b', 'X-A X-B'])('of %s, which stands alone, is a field as any other', names => {
    expect(left(names)).toBe(names.replaceAll(/\S+/g, '$&=client'))
  })
})
