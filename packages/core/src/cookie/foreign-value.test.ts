import { describe, expect, it } from 'vitest'
import { type ForeignFormat, foreignId } from './foreign-value.ts'

describe('a foreign value', () => {
  it.each<[string, string, ForeignFormat[], string | undefined]>([
    ['is not taken unless it was asked for [T-02]', 's1', [], undefined],
    ['is an id as it stands', 's1', ['raw'], 's1'],
    ['of HAProxy is an id', 's1', ['haproxy'], 's1'],
    ['of HAProxy may have dates, which are not believed [LB070]', 's1|AAAAA|AAAAA', ['haproxy'], 's1'],
    ['of HAProxy may have dates that are none [LB069]', 's1|@@@@@|@@@@@', ['haproxy'], 's1'],
    ['with dates is not an id as it stands', 's1|AAAAA|AAAAA', ['raw'], undefined],
    ['is tried in every format', 's1|AAAAA', ['raw', 'haproxy'], 's1'],
    ['that is empty names nobody', '', ['raw', 'haproxy'], undefined],
    ['of dates alone names nobody', '|AAAAA', ['raw', 'haproxy'], undefined],
    ['that is no id names nobody', '127.0.0.1:80', ['raw', 'haproxy'], undefined],
    ['of ours, signed, is none', 'v1.abc.def', ['raw', 'haproxy'], undefined],
    ['that is an id of 64 characters', 'x'.repeat(64), ['raw'], 'x'.repeat(64)],
    ['that is too long for an id', 'x'.repeat(65), ['raw'], undefined],
    ['that is too long to look at', `s1|${'A'.repeat(126)}`, ['haproxy'], undefined],
    ['that ends with a line feed', 's1\n', ['raw'], undefined],
  ])('%s', (_, value, formats, expected) => {
    expect(foreignId(value, formats)).toBe(expected)
  })
})
