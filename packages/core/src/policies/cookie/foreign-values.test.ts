import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OptionError } from '../../options/option.ts'
import { LivePool } from '../../pool/live-pool.ts'
import { type ForeignFormat, parseForeignFormats } from './foreign-format.ts'
import { foreignValues } from './foreign-values.ts'

function poolOf(backends: Record<string, string>): LivePool {
  return new LivePool(
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
    ['that is no id names no backend', 's9', ['raw'], undefined],
    ['of HAProxy is an id', 's1', ['haproxy'], 's1'],
    ['of HAProxy may have dates, which are not believed [LB070]', 's1|AAAAA|AAAAA', ['haproxy'], 's1'],
    ['of HAProxy may have dates that are none [LB069]', 's1|@@@@@|@@@@@', ['haproxy'], 's1'],
    ['with dates is not an id as it stands', 's1|AAAAA|AAAAA', ['raw'], undefined],
    ['is tried in every format', 's1|AAAAA', ['raw', 'haproxy'], 's1'],
    ['that is empty names no backend', '', ['raw', 'haproxy', 'nginx', 'traefik'], undefined],
    ['of dates alone names no backend', '|AAAAA', ['raw', 'haproxy'], undefined],
    ['of ours, signed, is none', 'v1.abc.def', ['raw', 'haproxy'], undefined],
    ['that is too long to look at', `s1|${'A'.repeat(126)}`, ['haproxy'], undefined],
    ['called after what every object has names no backend', '__proto__', ['raw'], undefined],
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

  it('is an alias, where it would be an id', () => {
    const pool = new LivePool('p', [
      { id: 'a', url: 'http://127.0.0.1:1', aliases: ['s1', 'x.y'] },
      { id: 'b', url: 'http://127.0.0.1:2', aliases: ['s2'] },
    ])
    expect(idOf('s2', ['raw'], pool)).toBe('b')
    expect(idOf('s1|AAAAA|AAAAA', ['haproxy'], pool)).toBe('a')
    expect(idOf('x.y', [{ haproxy: { key: 'k' } }], pool)).toBe('a')
    // sha256sum of s1
    expect(idOf('e8bc163c82eee187', ['traefik'], pool)).toBe('a')
    expect(idOf('s3', ['raw', 'haproxy'], pool)).toBeUndefined()
  })

  describe.each<[string, string, string, ForeignFormat]>([
    // The value of Traefik 3.3 for http://10.0.0.7:80, computed by sha256sum.
    ['of Traefik with a default port', 'http://10.0.0.7:80', 'c1c3f8e2df84e3ca', 'traefik'],
    ['of Traefik up to 3.3.3, of a name', 'http://10.0.0.7:80', '33003feb212ddb29', 'traefik'],
    ['of Traefik, hashed twice', 'http://10.0.0.7:80', 'adc2e5eae94cf4e9', 'traefik'],
    ['of Traefik 3.2, of a URL', 'http://10.0.0.7:80', '5d7250ec9f80130b', 'traefik'],
    ['of Traefik 1, the URL itself', 'http://10.0.0.7:80', 'http://10.0.0.7:80', 'traefik'],
    ['of Envoy up to 1.24', 'http://10.0.0.7:8080', 'MTAuMC4wLjc6ODA4MA==', 'envoy'],
    ['of Envoy', 'http://10.0.0.7:8080', 'Cg0xMC4wLjAuNzo4MDgw', 'envoy'],
    ['of Envoy with an expiry', 'http://10.0.0.7:8080', 'Cg0xMC4wLjAuNzo4MDgwEMgB', 'envoy'],
    ['of Envoy in quotes', 'http://10.0.0.7:8080', '"Cg0xMC4wLjAuNzo4MDgw"', 'envoy'],
    ['of Envoy for IPv6', 'http://[2001:db8::7]:80', 'ChBbMjAwMTpkYjg6OjddOjgw', 'envoy'],
    [
      'of ingress-nginx',
      'http://10.0.0.7:8080',
      '12e3b1d3659b4cc1aebb6421e085c91f|5f860b78dba941052d2c694c72a8810d',
      { ingressNginx: { name: 'shop-web-8080' } },
    ],
    [
      'of an older ingress-nginx',
      'http://10.0.0.7:8080',
      '12e3b1d3659b4cc1aebb6421e085c91f',
      { ingressNginx: { name: 'shop-web-8080' } },
    ],
    // As HAProxy's converter xxh64 has it, of WEB1 in UTF-16.
    ['of YARP', 'http://10.0.0.7', 'eef83f471107bac3', 'yarp'],
    // sha256sum of web1 in UTF-16.
    [
      'of IIS ARR',
      'http://10.0.0.7',
      'D9D97694B108104760540410222C72AEC69699254859D1542DC91A2A121AA2A6',
      'arr',
    ],
    // F5 K6917.
    ['of BIG-IP', 'http://10.1.1.100:8080', '1677787402.36895.0000', 'f5'],
    ['of BIG-IP, port 80', 'http://10.1.1.100', '1677787402.20480.0000', 'f5'],
    ['of BIG-IP, in a route domain', 'http://192.0.2.1', 'rd5o00000000000000000000ffffc0000201o80', 'f5'],
    ['of BIG-IP for IPv6', 'http://[2001:112::30]', 'vi20010112000000000000000000000030.20480', 'f5'],
    [
      'of BIG-IP for IPv6, in a route domain',
      'http://[2001:112::30]',
      'rd3o20010112000000000000000000000030o80',
      'f5',
    ],
  ])('%s', (_, url, value, format) => {
    const pool = poolOf({ other: 'http://10.0.0.9:9999', web1: url })

    it('names its backend', () => {
      expect(idOf(value, [format], pool)).toBe('web1')
    })

    it('names none when a character differs', () => {
      expect(idOf(`${value.slice(0, 5)}Z${value.slice(6)}`, [format], pool)).toBeUndefined()
    })
  })

  it('is any text, and never an error', () => {
    const formats: ForeignFormat[] = ['haproxy', 'nginx', 'traefik', 'envoy', 'yarp', 'arr', 'f5']
    const read = foreignValues(POOL, parseForeignFormats('accept', formats))
    const bytes = fc.uint8Array({ maxLength: 90 }).map(array => Buffer.from(array).toString('base64'))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), bytes), value => {
        expect([undefined, 's1', 's2', 'named', 'socket']).toContain(read(value))
      }),
    )
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
    ['accept[0]', ['aws']],
    ['accept[0].ingressNginx.name', [{ ingressNginx: {} }]],
    ['accept[1]', ['raw', undefined]],
    ['accept[0]', [{}]],
    ['accept[0].caddy', [{ haproxy: { key: 'a' }, caddy: { secret: 'b' } }]],
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
