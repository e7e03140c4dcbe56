import { describe, expect, it } from 'vitest'
import { type HealthOptions, parseHealth } from './health-options.ts'
import { useCheckTimers } from './checked-pool.fixture.ts'

useCheckTimers()

describe('the options of health checks', () => {
  it.each<[HealthOptions, string]>([
    [{ path: 'health' }, 'health.path'],
    [{ path: '/a b' }, 'health.path'],
    [{ method: 'G T' }, 'health.method'],
    [{ headers: { 'a b': 'c' } }, 'health.headers.(a key of 3 characters)'],
    [{ headers: { Connection: 'close' } }, 'health.headers.Connection'],
    [{ headers: { a: 'b\r\nc: d' } }, 'health.headers.a'],
    [{ headers: [] as object as Record<string, string> }, 'health.headers'],
    [{ interval: 9 }, 'health.interval'],
    [{ interval: '25h' }, 'health.interval'],
    [{ timeout: 0 }, 'health.timeout'],
    [{ fall: 0 }, 'health.fall'],
    [{ rise: 1.5 }, 'health.rise'],
    [{ expect: 100 }, 'health.expect'],
    [{ expect: [] }, 'health.expect'],
    [{ expect: [200, '2x'] }, 'health.expect[1]'],
    [{ body: '' }, 'health.body'],
    [{ body: 'ready', method: 'HEAD' }, 'health.body'],
    [{ method: 'connect' }, 'health.method'],
    [{ initial: 'maybe' as 'up' }, 'health.initial'],
    [{ port: 80 } as object, 'health.port'],
    [{ tcp: 1 as unknown as boolean }, 'health.tcp'],
    [{ tcp: true, path: '/health' }, 'health.path'],
    [{ tcp: true, method: 'HEAD' }, 'health.method'],
    [{ tcp: true, headers: { a: 'b' } }, 'health.headers'],
    [{ tcp: true, expect: '2xx' }, 'health.expect'],
    [{ tcp: true, body: 'ok' }, 'health.body'],
    [{ tcp: true, selfDrain: true }, 'health.selfDrain'],
  ])('%j is refused', (options, option) => {
    expect(() => parseHealth('health', options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option }) as Error,
    )
  })

  it('expect a text of a body that fits into the part that is read', () => {
    expect(parseHealth('health', { body: 'é'.repeat(32_768) })?.body).toHaveLength(32_768)
    expect(() => parseHealth('health', { body: 'é'.repeat(32_769) })).toThrow('health.body')
  })

  it.each<[HealthOptions['expect'], number[], number[]]>([
    [undefined, [200, 204, 299], [301, 404, 500]],
    [204, [204], [200]],
    ['3xx', [301, 302], [200, 400]],
    [
      [200, '4xx'],
      [200, 404],
      [201, 302],
    ],
  ])('expect %j takes %j and not %j', (expected, good, bad) => {
    const settings = parseHealth('health', expected === undefined ? {} : { expect: expected })
    expect(good.filter(status => settings?.isExpected(status) === false)).toEqual([])
    expect(bad.filter(status => settings?.isExpected(status) === true)).toEqual([])
  })
})
