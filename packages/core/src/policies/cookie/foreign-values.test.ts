import { describe, expect, it } from 'vitest'
import { OptionError } from '../../options/option.ts'
import { Pool } from '../../pool/pool.ts'
import { type ForeignFormat, parseForeignFormats } from './foreign-format.ts'
import { foreignValues } from './foreign-values.ts'

function poolOf(backends: Record<string, string>): Pool {
  return new Pool(
    'p',
    Object.entries(backends).map(([id, url]) => ({ id, url })),
  )
}

const POOL = poolOf({
  s1: 'http://127.0.0.1:18081',
  s2: 'http://[::1]:18082',
  named: 'https://app.internal',
  socket: 'unix:/run/app.sock',
})

function idOf(value: string, formats: readonly ForeignFormat[], pool = POOL): string | undefined {
  return foreignValues(pool, parseForeignFormats('accept', formats))(value)
}

describe('a foreign value', () => {
  it.each<[string, string, ForeignFormat[], string | undefined]>([
    ['is not taken unless it was asked for [T-02]', 's1', [], undefined],
    ['is an id as it stands', 's1', ['raw'], 's1'],
    ['that is nobody`s id names nobody', 's9', ['raw'], undefined],
    ['of HAProxy is an id', 's1', ['haproxy'], 's1'],
    ['of HAProxy may have dates, which are not believed [LB070]', 's1|AAAAA|AAAAA', ['haproxy'], 's1'],
    ['of HAProxy may have dates that are none [LB069]', 's1|@@@@@|@@@@@', ['haproxy'], 's1'],
    ['with dates is not an id as it stands', 's1|AAAAA|AAAAA', ['raw'], undefined],
    ['is tried in every format', 's1|AAAAA', ['raw', 'haproxy'], 's1'],
    ['that is empty names nobody', '', ['raw', 'haproxy', 'nginx', 'traefik'], undefined],
    ['of dates alone names nobody', '|AAAAA', ['raw', 'haproxy'], undefined],
    ['of ours, signed, is none', 'v1.abc.def', ['raw', 'haproxy'], undefined],
    ['that is too long to look at', `s1|${'A'.repeat(126)}`, ['haproxy'], undefined],
    ['called after what every object has names nobody', '__proto__', ['raw'], undefined],
    // Written by HAProxy 2.6 with `dynamic-cookie-key my-secret-key`.
    ['of HAProxy may be dynamic', '1a54f84a4f17f843', [{ haproxy: { key: 'my-secret-key' } }], 's1'],
    [
      'of HAProxy may be dynamic, for IPv6',
      'dafd554507c66448',
      [{ haproxy: { key: 'my-secret-key' } }],
      's2',
    ],
    ['of HAProxy needs its key', '1a54f84a4f17f843', [{ haproxy: { key: 'another' } }, 'haproxy'], undefined],
    [
      'of HAProxy may be dynamic and dated',
      '1a54f84a4f17f843|A|B',
      [{ haproxy: { key: 'my-secret-key' } }],
      's1',
    ],
    // Written by Caddy 2.6 with `lb_policy cookie lb caddy-secret`.
    [
      'of Caddy',
      '9ad7dd1c3fe291f577fb9a48c13ff531431f843060323651387bee56ca0b8808',
      [{ caddy: { secret: 'caddy-secret' } }],
      's1',
    ],
    [
      'of Caddy, for IPv6',
      '1c40ee13ee1e36177ef63b57627f1c090ac934fd086477eda5e192b1a81129ea',
      [{ caddy: { secret: 'caddy-secret' } }],
      's2',
    ],
    // md5sum of 127.0.0.1:18081, and of unix:/run/app.sock.
    ['of nginx', '7f3797d6a7e152c9ae2760fc816c6014', ['nginx'], 's1'],
    ['of nginx, for a socket', '939db79304b0f599c2c20969650359ab', ['nginx'], 'socket'],
    // sha256sum of s1, and of http://127.0.0.1:18081.
    ['of Traefik [LB137]', 'e8bc163c82eee187', ['traefik'], 's1'],
    ['of Traefik, by URL', 'b528746506c397e7', ['traefik'], 's1'],
  ])('%s', (_, value, formats, expected) => {
    expect(idOf(value, formats)).toBe(expected)
  })

  it('follows the pool', () => {
    const pool = poolOf({ s1: 'http://127.0.0.1:18081' })
    const read = foreignValues(pool, parseForeignFormats('accept', ['raw']))
    expect([read('s1'), read('s2')]).toEqual(['s1', undefined])
    pool.replace([{ id: 's2', url: 'http://127.0.0.1:18082' }])
    expect([read('s1'), read('s2')]).toEqual([undefined, 's2'])
  })

  it.each<[string, unknown]>([
    ['accept', 'raw'],
    ['accept[0]', ['envoy']],
    ['accept[1]', ['raw', undefined]],
    ['accept[0]', [{}]],
    ['accept[0]', [{ haproxy: { key: 'a' }, caddy: { secret: 'b' } }]],
    ['accept[0].haproxy', [{ haproxy: 'key' }]],
    ['accept[0].haproxy.key', [{ haproxy: {} }]],
    ['accept[0].caddy.secret', [{ caddy: { secret: 1 } }]],
    ['accept[0].caddy', [{ caddy: 'a-secret' }]],
  ])('in a wrong format is refused: %s', (option, formats) => {
    expect(() => parseForeignFormats('accept', formats)).toThrow(
      expect.objectContaining({ name: OptionError.name, option }),
    )
  })
})
