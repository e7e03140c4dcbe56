import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidEditError } from '../errors.ts'
import type { HeaderFields } from '../head.ts'
import { effectiveLines } from './effective-lines.ts'
import { isProtected } from './header-edits.ts'
import { FIRST_ONLY, isCutToFirst, wireFields } from './wire-fields.ts'

/** Node's own reading of header lines. */
function nodesFields(
  lines: readonly string[],
  options: { joinDuplicateHeaders?: boolean } = {},
): HeaderFields {
  const message = Object.assign(new IncomingMessage(null as unknown as Socket), options)
  const add = Reflect.get(message, '_addHeaderLines') as (lines: readonly string[], count: number) => void
  add.call(message, lines, lines.length)
  return message.headers
}

/** The lines that result from `lines` and an application's edits. */
function edited(
  lines: readonly string[],
  edit: (headers: HeaderFields) => void,
): ReturnType<typeof effectiveLines> {
  const headers = nodesFields(lines)
  edit(headers)
  return effectiveLines(lines, headers)
}

const WIRE = ['Host', 'web.test', 'X-User-Id', '1-spoofed', 'Accept', 'a', 'x-b', '1', 'Accept', 'b']

describe('header lines that an application has edited', () => {
  it('are the client’s where it has edited none', () => {
    expect(edited(WIRE, () => {})).toBeUndefined()
    expect(edited(WIRE, headers => (headers['x-b'] = String(headers['x-b'])))).toBeUndefined()
    expect(effectiveLines(WIRE, { ...nodesFields(WIRE) })).toBeUndefined()
  })

  it('are set, replaced and removed; the others stay as they are', () => {
    const effective = edited(WIRE, headers => {
      delete headers['x-user-id']
      headers['x-gateway-user'] = 'alice'
      headers['x-b'] = '2'
    })
    const lines = ['Host', 'web.test', 'Accept', 'a', 'x-b', '2', 'Accept', 'b', 'x-gateway-user', 'alice']
    expect(effective?.rawHeaders).toEqual(lines)
    expect(effective?.headers).toEqual({
      host: 'web.test',
      accept: 'a, b',
      'x-b': '2',
      'x-gateway-user': 'alice',
    })
    expect([...(effective?.names ?? [])].toSorted()).toEqual(['x-b', 'x-gateway-user', 'x-user-id'])
  })

  it('cannot be hidden by a client that sends a line twice', () => {
    const lines = ['Host', 'a', 'Accept', 'x', 'Accept', 'x']
    expect(edited(lines, headers => (headers['x-user'] = 'alice'))?.rawHeaders).toEqual([
      ...lines,
      'x-user',
      'alice',
    ])
  })

  it.each(['Authorization', 'user-agent', 'From'])(
    'are the first alone of a repeated %s, which is all that the application has read',
    name => {
      const lines = ['Host', 'a', name, 'x', 'X-A', '1', name.toUpperCase(), 'y', name, 'x']
      const [lower, kept] = [name.toLowerCase(), ['Host', 'a', name, 'x', 'X-A', '1']]
      const unedited = edited(lines, () => {})
      expect([unedited?.rawHeaders, unedited?.headers[lower], unedited?.names.size]).toEqual([kept, 'x', 0])
      expect(edited(lines, headers => (headers[lower] = 'x'))?.rawHeaders).toEqual(kept)
      expect(edited(lines, headers => (headers[lower] = 'z'))?.rawHeaders).toEqual(kept.with(3, 'z'))
      const joined = nodesFields(lines, { joinDuplicateHeaders: true })
      expect(effectiveLines(lines, joined)).toBeUndefined()
    },
  )

  it('stand where the first of several stood', () => {
    const acceptOnly = (value: string) => [...WIRE.slice(0, 4), 'Accept', value, 'x-b', '1']
    expect(edited(WIRE, headers => (headers['accept'] = 'c'))?.rawHeaders).toEqual(acceptOnly('c'))
    // The first of them only, which is no list as Node would show it.
    expect(edited(WIRE, headers => (headers['accept'] = 'a'))?.rawHeaders).toEqual(acceptOnly('a'))
  })

  it('are those of an object in place of `headers`, its inherited fields included', () => {
    const headers = nodesFields(WIRE)
    const heir = Object.assign(Object.create(headers) as HeaderFields, { 'x-user-id': '2' })
    expect(effectiveLines(WIRE, heir)?.rawHeaders).toEqual(WIRE.with(3, '2'))
    expect(effectiveLines(WIRE, { host: 'web.test' })?.rawHeaders).toEqual(['Host', 'web.test'])
  })

  it('take a name in any spelling, and that counts more than the client’s line', () => {
    const headers = { 'X-USER-ID': '2', ...nodesFields(WIRE) }
    expect(effectiveLines(WIRE, headers)?.rawHeaders).toEqual(WIRE.with(2, 'X-USER-ID').with(3, '2'))
  })

  it.each<[string, unknown, string[]]>([
    ['x-new', 'a\tb \u00e9', ['x-new', 'a\tb \u00e9']],
    ['x-new', '', ['x-new', '']],
    ['x-new', 7, ['x-new', '7']],
    ['x-new', ['a', 'b', 3], ['x-new', 'a', 'x-new', 'b', 'x-new', '3']],
    ['x-new', [], []],
    ['x-new', undefined, []],
    ['cookie', ['a=1', 'b=2'], ['cookie', 'a=1; b=2']],
  ])('of %s: %j are %j', (name, value, lines) => {
    const effective = edited(WIRE, headers => (headers[name] = value as string))
    expect(effective?.rawHeaders ?? WIRE).toEqual([...WIRE, ...lines])
  })

  it.each<[string, unknown]>([
    ['x-new', 'a\r\nx-evil: 1'],
    ['x-new', 'a\n'],
    ['x-new', '\0'],
    ['x-new', '\u007f'],
    ['x-new', '\u010a'],
    ['x-new', ['a', 'b\n']],
    ['x-new', [['a']]],
    ['x-new', [undefined]],
    ['x-new', null],
    ['x-new', true],
    ['x-new', {}],
    ['x-new', Symbol('a')],
    ['x-new', () => 'a'],
    ['x-new', Number.NaN],
    ['x new', 'a'],
    ['x:new', 'a'],
    ['x-new\r\nx-evil', 'a'],
    [':path', '/'],
    [':authority', 'a'],
    ['', 'a'],
    ['caf\u00e9', 'a'],
    ['host', 'a/b'],
    ['host', ''],
    ['host', ['a', 'b']],
  ])('are an error of the application, which does not show the value: %j: %j', (name, value) => {
    let error: unknown
    try {
      edited(WIRE, headers => (headers[name] = value as string))
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(InvalidEditError)
    const { message, field } = error as InvalidEditError
    expect(message).toContain(`the application's edit of ${field} cannot be sent: it `)
    expect(message).toMatch(/^[ -~]+$/)
    expect(message).not.toContain('evil: 1')
  })

  it.each([
    'connection',
    'keep-alive',
    'te',
    'trailer',
    'upgrade',
    'transfer-encoding',
    'content-length',
    'expect',
    'proxy',
  ])('never touch %s', name => {
    const set = edited(WIRE, headers => (headers[name] = '5'))
    expect([set?.rawHeaders, set?.headers[name], set?.names.size]).toEqual([WIRE, undefined, 0])
    const lines = [...WIRE, name, '7']
    const removed = edited(lines, headers => delete headers[name])
    expect([removed?.rawHeaders, removed?.headers[name]]).toEqual([lines, '7'])
    const effective = edited(lines, headers => Object.assign(headers, { [name]: '9', 'x-new': '1' }))
    expect(effective?.rawHeaders).toEqual([...lines, 'x-new', '1'])
    expect(effective?.headers[name]).toBe('7')
  })

  it('have one Host, that of the application', () => {
    const effective = edited(WIRE, headers => (headers['host'] = 'other.test:8080'))
    expect(effective?.rawHeaders.slice(0, 2)).toEqual(['Host', 'other.test:8080'])
    expect(edited(WIRE, headers => delete headers['host'])?.rawHeaders).toEqual(WIRE.slice(2))
  })

  it('keep members of Object apart from fields', () => {
    const lines = ['Host', 'a', 'constructor', '1', '__proto__', 'x', 'toString', '2', '__proto__', 'y']
    expect(edited(lines, () => {})).toBeUndefined()
    const effective = edited(lines, headers => (headers['constructor'] = '3' as never))
    expect(effective?.rawHeaders).toEqual(lines.with(3, '3'))
  })
})

const NAMES =
  'Host Cookie cookie Set-Cookie X-A x-a X_A X-B Accept accept Connection TE Content-Length Transfer-Encoding ' +
  'Authorization User-Agent 1 __proto__ constructor toString'

/** Whether the client's field is a second spelling of another of its fields, or of an edited one. */
function isTwin(name: string, wire: HeaderFields, asked: HeaderFields): boolean {
  if (isProtected(name) || wire[name] === undefined || asked[name] !== wire[name]) return false
  const folded = name.replaceAll('_', '-')
  const isEdited = (other: string) =>
    !isProtected(other) &&
    (asked[other] !== wire[other] || Object.hasOwn(asked, other) !== Object.hasOwn(wire, other))
  const others = [...Object.keys(wire), ...Object.keys(asked)].filter(
    other => other !== name && other.replaceAll('_', '-') === folded,
  )
  return others.some(other => isEdited(other) || (wire[other] !== undefined && other === folded))
}

describe('for all header lines and edits', () => {
  const token = fc.oneof(
    fc.constantFrom(...NAMES.split(' ')),
    fc.constantFrom(...FIRST_ONLY),
    fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/),
  )
  const value = fc.oneof(
    fc.constantFrom('a', 'b', '', 'a, b', 'a=1; b=2'),
    fc.stringMatching(/^[\x20-\x7e]{0,8}$/),
  )
  const header = fc.array(fc.tuple(token, value), { maxLength: 8 }).map(pairs => pairs.flat())
  const given = fc.oneof(value, fc.constant(undefined), fc.array(value, { maxLength: 3 }))
  const changes = fc.array(fc.tuple(token, given), { minLength: 1, maxLength: 4 })

  it('no edit is no new line, and none is lost but a second spelling or an unread line', () => {
    fc.assert(
      fc.property(header, fc.boolean(), (lines, joinDuplicateHeaders) => {
        const fields = nodesFields(lines, { joinDuplicateHeaders })
        const read = wireFields(lines)
        const kept = new Map(
          [...read].filter(([lower]) => !lower.includes('_') || !read.has(lower.replaceAll('_', '-'))),
        )
        for (const [lower, { name, values }] of kept)
          if (isCutToFirst(lower, values, fields[lower])) kept.set(lower, { name, values: [values[0] ?? ''] })
        const effective = effectiveLines(lines, fields)
        expect(wireFields(effective?.rawHeaders ?? lines)).toEqual(kept)
      }),
      { numRuns: 2000 },
    )
  })

  it('Node parses the lines to the application’s fields, with unchanged framing', () => {
    fc.assert(
      fc.property(header, changes, (lines, edits) => {
        const wire = nodesFields(lines)
        const asked = nodesFields(lines)
        for (const [name, to] of edits) {
          const lower = name.toLowerCase()
          if (lower === '__proto__' || (lower === 'host' && !/^[a-z]*$/.test(String(to ?? '')))) continue
          if (lower === 'host' && (to === '' || Array.isArray(to))) continue
          asked[lower] = to
        }
        const effective = effectiveLines(lines, asked)
        const got = nodesFields(effective?.rawHeaders ?? lines)
        const expected: HeaderFields = {}
        for (const name of new Set([...Object.keys(wire), ...Object.keys(asked)])) {
          if (isTwin(name, wire, asked)) continue
          const field = isProtected(name) ? wire[name] : asked[name]
          if (field === undefined) continue
          // As Node reads the lines of a list.
          const read = nodesFields(
            (Array.isArray(field) && name !== 'cookie' ? field : [[field].flat().join('; ')]).flatMap(
              line => [name, line],
            ),
          )
          if (!(Array.isArray(field) && field.length === 0)) expected[name] = read[name]
        }
        expect(got).toEqual(expected)
        const own = effective?.headers ?? got
        expect({ ...own, ['__proto__']: undefined }).toEqual({ ...expected, ['__proto__']: undefined })
      }),
      { numRuns: 3000 },
    )
  })
})
