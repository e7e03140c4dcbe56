import { describe, expect, it } from 'vitest'
import { InvalidEditError } from '../errors.ts'
import { effectiveLines } from './effective-lines.ts'
import type { HeaderFields } from './heads.ts'

describe('header lines of HTTP/2', () => {
  const PSEUDO = [':method', 'GET', ':path', '/', ':authority', 'h2.test', ':scheme', 'https']
  const fields = (more: HeaderFields = {}): HeaderFields =>
    Object.assign(Object.create(null) as HeaderFields, {
      ':method': 'GET',
      ':path': '/',
      ':authority': 'h2.test',
      ':scheme': 'https',
      ...more,
    })

  it('are the client’s where nothing was edited, cut cookies and symbols included', () => {
    const lines = [...PSEUDO, 'cookie', 'a=1', 'cookie', 'b=2', 'range', 'x']
    const read = fields({ cookie: 'a=1; b=2', range: 'x' })
    expect(effectiveLines(lines, { ...read, [Symbol('sensitive')]: ['cookie'] })).toBeUndefined()
  })

  it('have the first line alone of a field with one value, and all lines of a list', () => {
    const range = [...PSEUDO, 'range', 'x', 'Range', 'y']
    expect(effectiveLines(range, fields({ range: 'x' }))?.rawHeaders).toEqual([...PSEUDO, 'range', 'x'])
    const coding = [...PSEUDO, 'content-encoding', 'gzip', 'content-encoding', 'br']
    expect(effectiveLines(coding, fields({ 'content-encoding': 'gzip' }))).toBeUndefined()
  })

  it.each<HeaderFields>([{ host: 'other.test' }, { ':authority': 'other.test' }])(
    'have one host, that of the application: %j',
    more => {
      const effective = effectiveLines(PSEUDO, fields(more))
      expect(effective?.rawHeaders).toEqual(PSEUDO.with(5, 'other.test'))
      expect(effective?.names.has('host')).toBe(true)
      const both = effectiveLines([...PSEUDO, 'host', 'h2.test'], fields({ host: 'h2.test', ...more }))
      expect(both?.rawHeaders).toEqual([...PSEUDO.with(5, 'other.test'), 'host', 'other.test'])
    },
  )

  it('have the pseudo-header fields of the client, whatever the application makes of them', () => {
    const effective = effectiveLines(PSEUDO, fields({ ':path': '/x', ':method': 'POST' }))
    expect([effective?.rawHeaders, effective?.headers]).toEqual([PSEUDO, fields()])
    expect(() => effectiveLines(PSEUDO, fields({ ':authority': 'a/b' }))).toThrow(InvalidEditError)
    expect(() => effectiveLines(PSEUDO, fields({ ':new': 'a' }))).toThrow(InvalidEditError)
  })
})
