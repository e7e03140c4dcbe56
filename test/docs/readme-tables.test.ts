import { type AffinityOptions, type BalancerName, createAffinity } from '@limpet/core'
import type { JsonSchema } from '@limpet/core/options'
import { limpet as expressLimpet } from '@limpet/express'
import { limpet } from '@limpet/fastify'
import { createHttpProxy } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import { describe, expect, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { newApp } from '../support/fastify-app.ts'
import { describedSchema } from '../support/described-schema.ts'
import { optionDocs } from '../support/table-docs.ts'
import { codeIn, headOf, nameOf, readme, tableOf } from '../support/readme.ts'

/** The tables of options in the READMEs have every option. The tables of core are in the README of Fastify's adapter, too. */

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
