import { describe, expect, it } from 'vitest'
import { pathParameterValues } from './path-parameter.ts'

describe('values of a path parameter', () => {
  it.each<[string, string[]]>([
    ['/', []],
    ['/cart;jsessionid=abc.web1', ['abc.web1']],
    ['/cart;jsessionid=abc.web1?x=;jsessionid=other', ['abc.web1']],
    ['/cart;JSESSIONID=abc', ['abc']],
    ['/a;v=1;jsessionid=abc;w=2/b', ['abc']],
    ['/a;jsessionid=1/b;jsessionid=2', ['1', '2']],
    ['/a;jsessionid', []],
    ['/a;jsessionid=', ['']],
    ['/a;jsessionid=a=b', ['a=b']],
    ['/a;xjsessionid=1;jsessionids=2', []],
    ['/jsessionid=1;a=jsessionid=2', []],
    ['/a;jsessionid=%41', ['%41']],
    ['/a;b/jsessionid=1', []],
    ['http://h/a;jsessionid=1', ['1']],
    ['http://h;jsessionid=1/a', []],
    ['http://h?;jsessionid=1', []],
  ])('of %s', (target, expected) => {
    expect(pathParameterValues(target, 'jsessionid')).toEqual(expected)
    expect(pathParameterValues(target, 'JSESSIONID')).toEqual(expected)
  })

  it.each([';', ';=', ';jsessionid', ';jsessionid=', '/;a', '='])(
    'are found in 1 MB of %j in linear time',
    unit => {
      const before = performance.now()
      pathParameterValues(`/;${unit.repeat(1_000_000 / unit.length)}`, 'jsessionid')
      expect(performance.now() - before).toBeLessThan(1_000)
    },
  )
})
