import { describe, expect, it } from 'vitest'
import { newsInCookie, newsInHeader, type SessionNews } from './learned-id.ts'

const NOW = Date.parse('2026-11-21T00:00:00Z')
const NONE: SessionNews = { id: undefined, hasEnded: false }
const ENDED: SessionNews = { id: undefined, hasEnded: true }

describe('the news of a session in a response', () => {
  it.each<[string | string[] | undefined, SessionNews]>([
    [undefined, NONE],
    ['SID=abc; Path=/', { id: 'abc', hasEnded: false }],
    [['other=1', 'SID=abc'], { id: 'abc', hasEnded: false }],
    ['SID = abc ; HttpOnly', { id: 'abc', hasEnded: false }],
    ['SID="a c"', { id: 'a c', hasEnded: false }],
    ['SID=a=b', { id: 'a=b', hasEnded: false }],
    [['SID=old', 'SID=new'], { id: 'new', hasEnded: false }],
    ['sid=abc', NONE],
    ['SID', NONE],
    ['SID=', ENDED],
    ['SID=abc; Max-Age=0', ENDED],
    ['SID=abc; Max-Age=-5', ENDED],
    ['SID=abc; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT', { id: 'abc', hasEnded: false }],
    ['SID=abc; Max-Age=x; expires=Thu, 01 Jan 1970 00:00:00 GMT', ENDED],
    ['SID=abc; Expires=Sat, 21 Nov 2026 00:00:01 GMT', { id: 'abc', hasEnded: false }],
    ['SID=abc; Expires=whenever', { id: 'abc', hasEnded: false }],
    [['SID=; Max-Age=0', 'SID=new'], { id: 'new', hasEnded: true }],
  ])('by Set-Cookie: %j', (lines, expected) => {
    expect(newsInCookie({ statusCode: 200, headers: { 'set-cookie': lines } }, 'SID', NOW)).toEqual(expected)
  })

  it.each<[Record<string, string | string[]>, SessionNews]>([
    [{}, NONE],
    [{ 'mcp-session-id': 'abc' }, { id: 'abc', hasEnded: false }],
    [{ 'mcp-session-id': '' }, NONE],
    [{ 'mcp-session-id': ['a', 'b'] }, NONE],
  ])('by a header field: %j [LB125]', (headers, expected) => {
    expect(newsInHeader({ statusCode: 200, headers }, 'mcp-session-id')).toEqual(expected)
  })

  it.each([' ', '\t', ' \t', '"', '=', ';', '; =', 'Max-Age=1;', '" '])(
    'takes time that grows with the length alone: %j',
    unit => {
      const blanks = unit.repeat(65_536 / unit.length)
      const before = performance.now()
      for (const line of [
        `SID=${blanks}x`,
        `SID=x${blanks}x`,
        `SID=x${blanks}`,
        `SID${blanks}=x`,
        `SID=x; Max-Age=${blanks}x`,
      ])
        newsInCookie({ statusCode: 200, headers: { 'set-cookie': line } }, 'SID', NOW)
      // It was ten seconds and more.
      expect(performance.now() - before).toBeLessThan(2_000)
    },
  )

  it('ignores properties that every object has', () => {
    expect(newsInHeader({ statusCode: 200, headers: {} }, 'constructor')).toEqual(NONE)
  })
})
