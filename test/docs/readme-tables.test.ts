import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import {
  type AffinityOptions,
  type BalancerName,
  createAffinity,
  isAffinityError,
  type Lease,
  type RequestHead,
} from '@limpet/core'
import {
  attemptError,
  CookieCollisionError,
  lookupSource,
  parseDiscovery,
  startDiscovery,
} from '@limpet/core/adapter'
import type { JsonSchema } from '@limpet/core/options'
import { limpet as expressLimpet } from '@limpet/express'
import { limpet, type LimpetOptions } from '@limpet/fastify'
import { createHttpProxy } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import type { FastifyRequest } from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { openRaw, parseAnswers } from '../support/raw-client.ts'
import { describedSchema } from '../support/described-schema.ts'
import { optionDocs } from '../support/table-docs.ts'
import { codeIn, declarationOf, headOf, readme, tableOf } from '../support/readme.ts'
import { hang } from '../support/scripts.ts'

/** The tables of the READMEs hold what there is, and all of it. Those of core stand in the adapter's README too. */

const CORE = readme('packages/core')
const FASTIFY = readme('packages/fastify')

const TRANSPORT_DEFAULTS = [...defaultsOf('TIMEOUT_OPTIONS'), ...defaultsOf('TLS_OPTIONS')]

/** The defaults of a table of the proxy, by name. */
function defaultsOf(table: string): readonly (readonly [string, string])[] {
  const docs = optionDocs(table)
  return [...docs].flatMap(([name, { default: value }]) =>
    value === undefined ? [] : [[name, value] as const],
  )
}

/** The code of a row's first cell. */
function nameOf(row: readonly string[]): string {
  return codeIn(row[0])[0] ?? ''
}

describe('a table of options', () => {
  const wrong = { nobodyHasThis: 1 } as object

  test.each([
    ['options of createAffinity', 'AFFINITY_OPTIONS'],
    ['options of a backend', 'BACKEND_OPTIONS'],
    ['options of passive', 'OUTLIER_DETECTION_OPTIONS'],
    ['options of the retry budget', 'RETRY_BUDGET_OPTIONS'],
    ['options of the cookie', 'COOKIE_OPTIONS'],
    ['options of the prefix', 'PREFIX_OPTIONS'],
    ['options of learn', 'LEARN_OPTIONS'],
    ['options of the route', 'ROUTE_OPTIONS'],
    ['options of the hash', 'HASH_OPTIONS'],
    ['options of health', 'HEALTH_OPTIONS'],
    ['options of discovery', 'DISCOVERY_OPTIONS'],
  ])('%s has them all, with their defaults', (marker, table) => {
    const rows = tableOf(CORE, marker)
    const docs = optionDocs(table)
    expect(rows.map(nameOf)).toEqual([...docs.keys()])
    expect(rows.length).toBeGreaterThan(1)
    for (const row of rows) {
      const [, , value = ''] = row
      const said = /^(?:|needed.*|this or .*)$/.test(value) ? undefined : value.replaceAll('`', '')
      expect([nameOf(row), said]).toEqual([nameOf(row), docs.get(nameOf(row))?.default?.replaceAll('`', '')])
    }
  })

  test.each([
    ['packages/kubernetes', 'options of kubernetes', 'KUBERNETES_OPTIONS'],
    ['packages/gateway', 'options of the file', 'CONFIG_OPTIONS'],
    ['packages/gateway', 'options of listen', 'LISTEN_OPTIONS'],
    ['packages/gateway', 'options of the limits', 'LIMITS_OPTIONS'],
    ['packages/gateway', 'options of the log', 'LOG_OPTIONS'],
    ['packages/gateway', 'options of a route', 'ROUTE_FILE_OPTIONS'],
    ['packages/gateway', 'options of the store', 'REDIS_OPTIONS'],
    ['packages/gateway', 'options of the admin port', 'ADMIN_OPTIONS'],
  ])('of %s: %s has them all, with their defaults', (folder, marker, table) => {
    const rows = tableOf(readme(folder), marker)
    const docs = optionDocs(table)
    // The table of limits has no column of types: its first two are the name and the default.
    const column = headOf(readme(folder), marker).indexOf('default')
    const said = rows.map(row => [nameOf(row), row[column]?.replace(/^needed$/, '').replaceAll('`', '')])
    const expected = [...docs].map(([name, doc]) => [name, doc.default?.replaceAll('`', '') ?? ''])
    expect(said).toEqual(expected)
  })

  test('options of a pool of the gateway has them all', () => {
    const pool = describedSchema().properties?.['pools']?.additionalProperties as JsonSchema | undefined
    const rows = tableOf(readme('packages/gateway'), 'options of a pool')
    expect(rows.map(nameOf).toSorted()).toEqual(Object.keys(pool?.properties ?? {}).toSorted())
  })

  test.each(['options of createAffinity', 'options of a backend', 'options of the cookie'])(
    '%s stands in the README of the plugin too',
    marker => {
      expect(tableOf(FASTIFY, marker)).toEqual(tableOf(CORE, marker))
    },
  )

  test('options of limpet has them all, with their defaults', async () => {
    const rows = tableOf(FASTIFY, 'options of limpet')
    const ofCore = keysIn(() => createAffinity(wrong as AffinityOptions))
    const top = await keysOfLimpet(wrong)
    const own = top.filter(
      key => !ofCore.includes(key) && !/^(?:timeouts|tls|logLevel|logSerializers)$/.test(key),
    )
    const timeouts = (await keysOfLimpet({ timeouts: wrong })).map(key => `timeouts.${key}`)
    const tls = (await keysOfLimpet({ tls: wrong })).map(key => `tls.${key}`)
    expect(new Set(rows.map(nameOf))).toEqual(new Set([...own, ...timeouts, ...tls, 'use']))

    const declared = [
      ...TRANSPORT_DEFAULTS,
      ...defaultsOf('MOUNT_OPTIONS'),
      ...defaultsOf('FASTIFY_ROUTE_OPTIONS'),
      ...defaultsOf('REWRITE_OPTIONS'),
    ]
    const said = new Map(rows.map(row => [nameOf(row).replace(/^.*\./, ''), row[2]?.replaceAll('`', '')]))
    expect(declared.length).toBeGreaterThan(6)
    for (const [key, value] of declared)
      expect([key, said.get(key)]).toEqual([key, value.replaceAll('`', '')])
  })
})

describe.each([
  ['packages/express', expressLimpet],
  ['packages/koa', koaLimpet],
  ['packages/http-proxy', createHttpProxy],
] as const)('the table of %s', (folder, factory) => {
  const there = readme(folder)
  const rows = tableOf(there, 'options of limpet')
  const keysOf = (options: object): readonly string[] =>
    keysIn(() => factory({ secrets: [SECRET], backends: [], ...options }))
  const ofCore = keysIn(() => createAffinity({ nobodyHasThis: 1 } as object as AffinityOptions))
  const wrong = { nobodyHasThis: 1 }

  test('has all options, with their defaults', () => {
    const own = keysOf(wrong).filter(key => !ofCore.includes(key) && !/^(?:timeouts|tls)$/.test(key))
    const timeouts = keysOf({ timeouts: wrong }).map(key => `timeouts.${key}`)
    const tls = keysOf({ tls: wrong }).map(key => `tls.${key}`)
    expect(new Set(rows.map(nameOf))).toEqual(new Set([...own, ...timeouts, ...tls, 'use']))
    const defaults = [
      ...TRANSPORT_DEFAULTS,
      ...defaultsOf('HTTP_PROXY_OPTIONS'),
      ...defaultsOf('NODE_PROXY_OPTIONS'),
    ]
    const said = new Map(rows.map(row => [nameOf(row).replace(/^.*\./, ''), row[2]?.replaceAll('`', '')]))
    expect(defaults.length).toBeGreaterThan(6)
    for (const [key, value] of defaults)
      expect([key, said.get(key)]).toEqual([key, value.replaceAll('`', '')])
  })

  test('says of an option what the plugin for Fastify says of it', () => {
    const ofFastify = new Map(tableOf(FASTIFY, 'options of limpet').map(row => [nameOf(row), row]))
    const same = rows.filter(row => nameOf(row) !== 'bodyLimit' && ofFastify.has(nameOf(row)))
    expect(same.length).toBeGreaterThan(10)
    expect(same.map(row => ofFastify.get(nameOf(row)))).toEqual(same)
  })

  test('is followed by the names of those of core', () => {
    const [, names = ''] =
      /^Those of \[`@limpet\/core`\]\(.*?\) go beside them: (.*?)\. /m.exec(there.text) ?? []
    expect(codeIn(names)).toEqual(ofCore)
  })
})

test('the table of balancers has them all', () => {
  const balance = 'unknown' as BalancerName
  let known: readonly string[] = []
  try {
    createAffinity({ secrets: [SECRET], backends: [], balance })
  } catch (error) {
    known = /takes one of (.*), or \{ hash \}/.exec((error as Error).message)?.[1]?.split(', ') ?? []
  }
  const named = tableOf(CORE, 'balancers').map(nameOf)
  expect(named).toEqual([...known.map(name => `'${name}'`), '{ hash: … }'])
})

test('the members of the proxy are those that there are', () => {
  const rows = tableOf(readme('packages/http-proxy'), 'members of the proxy')
  const proxy = createHttpProxy({ secrets: [SECRET], backends: [] })
  expect(new Set(rows.map(row => nameOf(row).replace(/\(.*/, '')))).toEqual(new Set(Object.keys(proxy)))
})

/** The names that the refusal of an unknown one lists. */
function keysIn(refused: () => unknown): readonly string[] {
  try {
    refused()
  } catch (error) {
    return /known are (.*)$/m.exec((error as Error).message)?.[1]?.split(', ') ?? []
  }
  throw new Error('was not refused')
}

async function keysOfLimpet(options: object): Promise<readonly string[]> {
  const app = newApp()
  app.register(limpet, { secrets: [SECRET], backends: [], ...options })
  const error: unknown = await app.ready().then(
    () => new Error('was not refused'),
    (thrown: unknown) => thrown,
  )
  return keysIn(() => {
    throw error
  })
}

describe('the tables of errors', () => {
  test('have the codes and statuses that there are', async () => {
    const w1 = await startBackend('w1', hang)
    const empty = await gateway([])
    const slow = await gateway([w1], { timeouts: { response: 100 } })
    const edited = await gateway([w1], {}, ({ headers }) => void (headers['x-a'] = '\n'))
    const gone = await gateway([], { backends: [{ id: 'w1', url: 'http://127.0.0.1:1' }] })
    const got = [
      await told(empty),
      await told(gone),
      await told(slow),
      localResource(),
      { code: (await told(empty, 'GET /#x HTTP/1.1')).code, status: '400 to 505' },
      await told(edited),
      // Fastify refuses such pools when they are registered.
      { code: new CookieCollisionError('a', 'b').code, status: 500 },
      { code: codeOf(() => createAffinity({ backends: [] })), status: '' },
    ]
    const rows = tableOf(CORE, 'errors')
    expect(rows.map(row => [nameOf(row), row[1]])).toEqual(
      got.map(({ code, status }) => [code, String(status)]),
    )
    expect(tableOf(FASTIFY, 'errors')).toEqual(rows)
  })

  test('have the reasons that there are', async () => {
    const w1 = await startBackend('w1')
    const routes = await gateway([w1], { bodyLimit: 10 })
    const handler = await gateway([w1], { routes: false })
    const twice = ['Host', 'a', 'Content-Length', '1', 'Content-Length', '1']
    const got = await Promise.all([
      refusal({ headers: { host: 'a', 'content-length': '1' }, rawHeaders: twice }),
      refusal({ headers: { host: 'a', 'transfer-encoding': 'chunked', 'content-length': '1' } }),
      refusal({ headers: { host: 'a', 'transfer-encoding': 'gzip, chunked' } }),
      refusal({ headers: {}, rawHeaders: [] }),
      refusal({ headers: { host: 'a b' } }),
      refusal({ rawHeaders: ['Host', 'a', 'Host', 'a'] }),
      ...['/a b', '/a\u0001', '/a\\b', '/a#b', 'http://b/'].map(async url => refusal({ url })),
      refusal({ method: 'OPTIONS', url: '*' }),
      refusal({ method: 'CONNECT' }),
      refusal({ httpVersion: '1.2' }),
      told(routes, 'POST / HTTP/1.1', 'Content-Length: 11', 'elevenbytes'),
      // A parser has rounded the number, so the body cannot be written again.
      told(
        handler,
        'POST / HTTP/1.1',
        'Content-Length: 18\r\nContent-Type: application/json',
        '[9007199254740993]',
      ),
      told(routes, 'POST / HTTP/1.1', 'Content-Length: 2'),
    ])
    const statuses = new Map<string | undefined, Set<number>>()
    for (const { reason, status } of got)
      statuses.set(reason, (statuses.get(reason) ?? new Set()).add(status))
    const rows = tableOf(CORE, 'reasons')
    expect(rows.map(row => [nameOf(row), row[1]])).toEqual(
      [...statuses].map(([reason, all]) => [reason, [...all].join(', ')]),
    )
    expect(new Set(rows.map(nameOf))).toEqual(new Set(wordsOf('RefusalReason')))
    expect(tableOf(FASTIFY, 'reasons')).toEqual(rows)
  })

  test.each(['1.0', '1.1'])('HTTP/%s is a version that passes', async httpVersion => {
    await expect(refusal({ httpVersion })).rejects.toThrow('was not refused')
  })
})

function codeOf(refused: () => unknown): unknown {
  try {
    return refused()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

/** Only a process that has run out of descriptors shows it to a client. */
function localResource(): Told {
  const error = attemptError(
    { id: 'w1', url: new URL('http://127.0.0.1:1') },
    { kind: 'local', slow: false, cause: undefined },
  )
  return { code: error.code, status: error.statusCode }
}

interface Told {
  readonly code: string
  readonly status: number
  readonly reason?: string | undefined
}

/** Tells its clients which error there was. */
async function gateway(
  backends: readonly Backend[],
  options: object = {},
  edit: (request: FastifyRequest) => void = () => {},
): Promise<number> {
  const app = newApp()
  app.addHook('onRequest', async request => edit(request))
  app.setErrorHandler((error, _request, reply) => {
    if (!isAffinityError(error)) throw error
    return reply.code(error.statusCode).send(toldBy(error))
  })
  const all: LimpetOptions = { ...poolOf(...backends), ...options }
  await app.register(limpet, all)
  if (all.routes === false) app.all('/*', (_request, reply) => reply.limpet())
  return listen(app)
}

function toldBy(error: unknown): Told {
  const { code, statusCode: status, reason } = error as { code: string; statusCode: number; reason?: string }
  return { code, status, reason }
}

async function told(port: number, line = 'GET / HTTP/1.1', headers = 'X-A: 1', body = ''): Promise<Told> {
  const connection = await openRaw(port)
  connection.write(`${line}\r\nHost: a\r\n${headers}\r\n\r\n${body}`)
  await connection.until(received => parseAnswers(received).length > 0, 10_000)
  return JSON.parse(parseAnswers(connection.received)[0]?.body ?? '') as Told
}

const REQUEST: RequestHead = {
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  headers: { host: 'a' },
  rawHeaders: ['Host', 'a'],
  remoteAddress: '192.0.2.7',
  localPort: 80,
  encrypted: false,
  hasBody: false,
}

async function refusal(head: Partial<RequestHead>): Promise<Told> {
  const affinity = createAffinity({ secrets: [SECRET], backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] })
  try {
    await affinity.select({ ...REQUEST, ...head })
  } catch (error) {
    return toldBy(error)
  }
  throw new Error('was not refused')
}

describe('the table of events', () => {
  const rows = tableOf(CORE, 'events')

  test('has the channels that there are', () => {
    const file = new URL('diagnostics.js', import.meta.resolve('@limpet/core'))
    const channels = readFileSync(file, 'utf8').matchAll(/eventChannel\('(limpet:[\w-]+)'\)/g)
    expect(rows.map(nameOf)).toEqual([...channels].map(([, name]) => name))
    expect(tableOf(FASTIFY, 'events')).toEqual(rows)
  })

  test('has the fields that there are', async () => {
    const seen = new Map<string, readonly string[]>()
    for (const channel of rows.map(nameOf)) {
      const note = (message: unknown): void => void seen.set(channel, Object.keys(message as object))
      subscribe(channel, note)
      onTestFinished(() => void unsubscribe(channel, note))
    }
    const broken = {
      name: 'broken',
      read: () => {
        throw new Error('a store that is down')
      },
    }
    const affinity = createAffinity({
      backends: [{ id: 'a', url: 'http://127.0.0.1:1' }],
      affinity: [broken],
    })
    const lease: Lease = await affinity.select(REQUEST)
    lease.failed({ kind: 'unreached', slow: false, cause: undefined })
    lease.next({ kind: 'unreached', slow: false, cause: undefined })
    lease.connected()
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
    expect(() => createAffinity({ backends: [], affinity: [] }).select(REQUEST)).toThrow(
      'no backend is available',
    )
    await operate()
    expect(rows.map(row => [nameOf(row), codeIn(row[2])])).toEqual(
      [...rows].map(row => [nameOf(row), seen.get(nameOf(row))]),
    )
  })

  test('is followed by the statuses and the kinds of failure that there are', () => {
    expect(tableOf(CORE, 'statuses').map(nameOf)).toEqual(wordsOf('AffinityStatus'))
    expect(codeIn(/`failure\.kind` is (.*?);/.exec(CORE.text)?.[1])).toEqual(wordsOf('FailureKind'))
    expect(codeIn(/^`status` is (.*?);/m.exec(FASTIFY.text)?.[1])).toEqual(wordsOf('AffinityStatus'))
  })
})

/** Uses a pool so that each of its events occurs. */
async function operate(): Promise<void> {
  const affinity = createAffinity({
    backends: [
      { id: 'a', url: 'http://127.0.0.1:1', maxInFlight: 1 },
      { id: 'b', url: 'http://127.0.0.1:2', state: 'maint' },
    ],
    // Each request brings a session of a backend that is in maintenance.
    affinity: [
      {
        read: () => ({ kind: 'backend', id: 'b' }),
        write: ({ session }) => session?.moved('b'),
        sessions: () => 0,
      },
    ],
    whenFull: 'wait',
    retryBudget: { ratio: 0, minPerSecond: 0 },
  })
  const { pool } = affinity
  const lease = await affinity.select(REQUEST)
  const second = affinity.select(REQUEST)
  lease.responded({ statusCode: 200, headers: {} })
  lease.release()
  const held = await second
  pool.setState('b', 'ready')
  held.failed({ kind: 'broken', slow: false, cause: undefined })
  held.next({ kind: 'broken', slow: false, cause: undefined })
  held.release()
  const moving = await affinity.select(REQUEST)
  moving.next({ kind: 'unreached', slow: false, cause: undefined })
  moving.release()
  pool.setHealthy('b', false)
  await pool.drain('a').drained
  pool.remove('a')
  const settings = parseDiscovery('discovery', { dns: 'app.internal:80' })
  if (settings === undefined) return
  const find = async (): Promise<never> => {
    throw new Error('SERVFAIL')
  }
  const source = lookupSource(settings, () => ({ find, close: () => undefined }))
  const discovery = startDiscovery(pool, source)
  // It has been told a moment later.
  await setImmediate()
  discovery.close()
  const recovering = startDiscovery(pool, {
    name: 'catalog',
    subscribe(listener) {
      listener.failed(new Error('a catalog that is down'))
      queueMicrotask(() => listener.backends([]))
      return { close: () => undefined }
    },
  })
  await setImmediate()
  recovering.close()
}

/** The members of a union of texts. */
function wordsOf(type: string): readonly string[] {
  return [...declarationOf('packages/core', type).matchAll(/'(\w+)'/g)].map(([, word = '']) => word)
}
