import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestHead } from '../head.ts'
import type { HeaderFields } from './heads.ts'
import { clientNominations, markNominations } from './nominations.ts'

const NOMINATION = 'close, X-User, x-b, Authorization, X-Forwarded-For, X-Absent'

function marked(more: HeaderFields = {}): HeaderFields {
  const headers: HeaderFields = { host: 'a', connection: NOMINATION, 'x-user': 'alice', 'x-b': 'b', ...more }
  markNominations(headers)
  return headers
}

const left = (headers: HeaderFields) => [...clientNominations(NOMINATION, headers)]

describe('fields that a client nominates in Connection', () => {
  it('are those that the application has left alone', () => {
    expect(left(marked())).toEqual(['x-user', 'x-b'])
  })

  it.each<readonly [string, (headers: HeaderFields) => HeaderFields | void]>([
    ['set to the client’s own value', headers => void (headers['x-user'] = 'alice')],
    ['set to another value', headers => void (headers['x-user'] = 'bob')],
    ['removed', headers => void delete headers['x-user']],
    [
      'removed and set again',
      headers => {
        delete headers['x-user']
        headers['x-user'] = 'alice'
      },
    ],
    ['assigned from an object', headers => void Object.assign(headers, { 'x-user': 'alice' })],
    [
      'defined',
      headers => {
        const value = { value: 'alice', enumerable: true, writable: true, configurable: true }
        Object.defineProperty(headers, 'x-user', value)
      },
    ],
  ])('are not one that it has %s', (_, edit) => {
    const headers = marked()
    edit(headers)
    expect(left(headers)).toEqual(['x-b'])
  })

  it.each<readonly [string, (headers: HeaderFields) => HeaderFields]>([
    ['copied', headers => ({ ...headers })],
    ['cloned', headers => structuredClone(headers)],
    ['inherited from', headers => Object.create(headers) as HeaderFields],
  ])('are none where it has %s them, because any may have been set', (_, replace) => {
    expect(left(replace(marked()))).toEqual([])
  })

  it('are none where no server has marked them before the application', () => {
    expect(left({ connection: NOMINATION, 'x-user': 'alice' })).toEqual([])
  })

  it('are not one that it has set before a second mark, as by another pool of the server', () => {
    const headers = marked()
    headers['x-user'] = 'alice'
    markNominations(headers)
    expect(left(headers)).toEqual(['x-b'])
  })

  it('are none where their list is longer than any honest one', () => {
    const connection = `X-User, ${'a,'.repeat(150)}`
    const headers: HeaderFields = { connection, 'x-user': 'alice' }
    markNominations(headers)
    expect(clientNominations(connection, headers).size).toBe(0)
  })

  it('are read and written as ever', () => {
    const headers = marked()
    expect({ ...headers }).toEqual({ host: 'a', connection: NOMINATION, 'x-user': 'alice', 'x-b': 'b' })
    expect(JSON.parse(JSON.stringify(headers))).toEqual({ ...headers })
    const heir = Object.create(headers) as HeaderFields
    heir['x-user'] = 'bob'
    expect([heir['x-user'], headers['x-user'], Object.keys(heir)]).toEqual(['bob', 'alice', ['x-user']])
    headers['x-user'] = 'carol'
    expect([headers['x-user'], Object.keys(headers)]).toEqual([
      'carol',
      ['host', 'connection', 'x-user', 'x-b'],
    ])
  })

  it('are in the head of the request, and the others are not', () => {
    const headers = marked()
    headers['x-b'] = 'b'
    const rawHeaders = ['Host', 'a', 'Connection', NOMINATION, 'X-User', 'alice', 'X-B', 'b']
    const head = requestHead({ method: 'GET', url: '/', httpVersion: '1.1', rawHeaders, headers, socket: {} })
    expect(head.edits).toBeUndefined()
    expect([...(head.nominated ?? [])]).toEqual(['x-user'])
  })

  it('never are one that the application has written, for all edits', () => {
    const name = fc.constantFrom('x-user', 'x-b', 'x-c', 'constructor', '__proto__', 'connection', 'toString')
    const value = fc.constantFrom('alice', 'b', undefined)
    const steps = fc.array(fc.tuple(name, fc.option(value, { nil: null })), { maxLength: 6 })
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), steps, (nominated, edits) => {
        const connection = nominated.join(', ')
        const headers: HeaderFields = { host: 'a', connection, 'x-user': 'alice', 'x-b': 'b' }
        markNominations(headers)
        const written = new Set<string>()
        for (const [field, to] of edits) {
          if (field === '__proto__') continue
          written.add(field)
          if (to === null) delete headers[field]
          else headers[field] = to
        }
        const expected = new Set(
          nominated.filter(each => !written.has(each) && ['connection', 'x-user', 'x-b'].includes(each)),
        )
        expect(clientNominations(connection, headers)).toEqual(expected)
      }),
    )
  })
})
