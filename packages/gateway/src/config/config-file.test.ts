import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fileOf, problemsOf, read, SECRET, web } from './config-file.fixture.ts'
import { parseConfig } from './config-file.ts'
import { readSource } from './config-source.ts'

const CERT = readFileSync(new URL('../../../../test/support/tls/certificate.pem', import.meta.url), 'utf8')

describe('a file', () => {
  it('needs a pool and its backends, and nothing else', () => {
    expect(
      read('pools:\n  web:\n    backends:\n      - { id: a, url: "http://127.0.0.1:9001" }\n'),
    ).toMatchObject({
      listen: { host: '127.0.0.1', port: 8080, tls: undefined },
      adapter: 'fastify',
      shutdownGraceMs: 10_000,
      limits: { maxHeaderSize: 16_384, headersTimeoutMs: 10_000, requestTimeoutMs: 0, keepAliveMs: 75_000 },
      log: { access: true, sample: 1, level: 'info' },
      routes: [{ host: undefined, path: '/', pool: 'web' }],
      pools: [{ name: 'web' }],
      admin: undefined,
      warnings: [],
    })
  })

  it('takes a path as it is read, and compares it as browsers send it', () => {
    expect(
      read({ pools: { web }, routes: [{ pool: 'web' }, { path: '/caf\u00E9/', pool: 'web' }] }),
    ).toMatchObject({
      routes: [{ path: '/' }, { path: '/caf%C3%A9/' }],
    })
  })

  it('says all that is wrong with it, and where, in words', () => {
    expect(
      problemsOf({
        lisen: 1,
        listen: 'x',
        routes: [{ path: 'api', pool: 'web' }],
        pools: {
          'a b': web,
          web: {
            backends: [{ idd: 'a', url: 3 }],
            affinity: [{ cookie: { maxIdle: 'x', nam: 1 } }, {}, { cookie: {}, prefix: { cookie: 'a' } }],
            balance: { hsh: 'ip' },
            slowStart: '3x',
            whenFull: 'overflo',
            maxAttempts: 0,
            health: { expect: [700] },
          },
        },
      }).map(line => line.replace(/; known are .*/, '')),
    ).toMatchInlineSnapshot(`
      [
        "lisen is not known (did you mean listen?)",
        "listen got a text of 1 character; it takes an address and a port, as 127.0.0.1:8080",
        "routes[0].path got a text of 3 characters; it takes a path that begins with /, without ?, #, ;, \\, // and the segments . and ..",
        "pools.(a key of 3 characters) has a wrong name; it takes names of 1 to 64 of the characters A-Z a-z 0-9 _ -",
        "pools.web.backends[0].idd is not known (did you mean id?)",
        "pools.web.backends[0].id is missing; it takes 1 to 64 of the characters A-Z a-z 0-9 _ -",
        "pools.web.backends[0].url got 3; it takes http://host:port, https://host:port or unix:/path/to.sock, with a base path or without, and without query or credentials",
        "pools.web.affinity[0].cookie.nam is not known (did you mean name?)",
        "pools.web.affinity[0].cookie.maxIdle got a text of 1 character; it takes a duration, as 250ms, 5s, 30m, 8h or 7d",
        "pools.web.affinity[1] got an object; it takes an object with cookie or learn or prefix or route",
        "pools.web.affinity[2].prefix cannot be combined with cookie; it takes one of cookie, learn, prefix, route",
        "pools.web.balance.hsh is not known (did you mean hash?)",
        "pools.web.balance.hash is missing; it takes "ip", "path", "header:NAME", "query:NAME", "cookie:NAME" or "path-parameter:NAME", or a list of these",
        "pools.web.maxAttempts got 0; it takes a whole number from 1 to 100",
        "pools.web.slowStart got "3x"; it takes a duration, as 250ms, 5s, 30m, 8h or 7d",
        "pools.web.whenFull got "overflo" (did you mean overflow?); it takes one of overflow, wait, reject",
        "pools.web.health.expect[0] got 700; it takes a status from 200 to 599, one of 2xx, 3xx, 4xx, 5xx, or a list of these",
      ]
    `)
  })

  it('that cannot be read is refused by its name', () => {
    expect(() => readSource('/nowhere/limpet.yaml')).toThrow(
      'the file /nowhere/limpet.yaml cannot be read (ENOENT)',
    )
  })

  it('may keep its secrets elsewhere, and without any it warns', () => {
    process.env['LIMPET_TEST_SECRET'] = SECRET
    onTestFinished(() => void delete process.env['LIMPET_TEST_SECRET'])
    const signed = { web: { ...web, affinity: [{ cookie: {} }] } }
    const kept = read(
      { secrets: ['env:LIMPET_TEST_SECRET', 'file:old'], pools: signed },
      { old: `x${SECRET}\n` },
    )
    expect(kept.pools[0]?.options).toMatchObject({ secrets: [SECRET, `x${SECRET}`] })
    expect(kept.warnings).toEqual([])
    expect(read({ pools: signed }).warnings).toEqual([
      'no secrets: a random one is used, and a restart forgets every session',
    ])
  })

  it('takes the values that another process has read, and reads none anew', () => {
    process.env['LIMPET_TEST_SECRET'] = SECRET
    onTestFinished(() => void delete process.env['LIMPET_TEST_SECRET'])
    const file = fileOf(
      {
        secrets: ['env:LIMPET_TEST_SECRET', 'file:old'],
        pools: { web: { ...web, affinity: [{ cookie: {} }], tls: { ca: 'ca.pem' } } },
      },
      { old: `x${SECRET}\n`, 'ca.pem': CERT },
    )
    const first = parseConfig(readSource(file))
    writeFileSync(join(dirname(file), 'old'), `y${SECRET}\n`)
    writeFileSync(join(dirname(file), 'ca.pem'), '')
    process.env['LIMPET_TEST_SECRET'] = `z${SECRET}`
    const second = parseConfig(first.source)
    expect(second.pools[0]?.options).toMatchObject({
      secrets: [SECRET, `x${SECRET}`],
      tls: { ca: CERT },
    })
    expect(second.source).toEqual(first.source)
    expect(second.pools[0]?.signature).toBe(first.pools[0]?.signature)
    expect(() => parseConfig({ ...first.source, kept: {} })).toThrow('was not read by the process')
  })

  it('warns where the token of the admin port travels in clear', () => {
    const token = 'a-token-of-the-tests-01'
    const warningsOf = (listen: string): readonly string[] =>
      read({ pools: { web }, admin: { listen, token } }).warnings
    expect(warningsOf('10.0.0.1:8404')).toEqual([
      expect.stringMatching(/^admin\.token travels in clear to 10\.0\.0\.1: /),
    ])
    expect(warningsOf('0.0.0.0:8404')).toHaveLength(1)
    for (const listen of ['127.0.0.1:8404', '[::1]:8404', 'localhost:8404'])
      expect(warningsOf(listen)).toEqual([])
  })

  it('has durations and sizes with their units, and a host in brackets', () => {
    expect(
      read({
        listen: '[::1]:0',
        shutdownGrace: '1.5m',
        limits: { headers: '1MiB', headersTimeout: '250ms', connections: 10 },
        pools: { web: { ...web, bodyLimit: '2KiB' } },
      }),
    ).toMatchObject({
      listen: { host: '::1', port: 0 },
      shutdownGraceMs: 90_000,
      limits: { maxHeaderSize: 1_048_576, headersTimeoutMs: 250, connections: 10 },
      pools: [{ options: { bodyLimit: 2048 } }],
    })
  })

  it('knows which pools are another for more than their backends', () => {
    const signatureOf = (pool: object): string | undefined =>
      read({ secrets: [SECRET], pools: { web: { ...web, ...pool } } }).pools[0]?.signature
    expect(signatureOf({ backends: [{ id: 'b', url: 'http://127.0.0.1:2' }] })).toBe(signatureOf({}))
    expect(signatureOf({ maxAttempts: 2 })).not.toBe(signatureOf({}))
    expect(signatureOf({ responseHeaders: { set: { A: 'b' } } })).not.toBe(signatureOf({}))
  })
})

describe('the README', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

  it('begins with a file that is good', () => {
    process.env['LIMPET_SECRET'] = SECRET
    onTestFinished(() => void delete process.env['LIMPET_SECRET'])
    const [, file = ''] = /```yaml\n(# limpet\.yaml\n[^]*?)```/.exec(readme) ?? []
    expect(read(file).pools.map(({ name }) => name)).toEqual(['web'])
  })
})
