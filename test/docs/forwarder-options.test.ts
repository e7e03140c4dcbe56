import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { codeIn, readme, tableOf } from '../support/readme.ts'

const require = createRequire(import.meta.url)

/** The names of the properties of these interfaces, as this file declares them. */
function membersOf(file: string, interfaces: readonly string[]): readonly string[] {
  const types = readFileSync(file, 'utf8')
  return interfaces.flatMap(each => {
    // An interface at the margin ends at the margin; a type parameter may have braces, too.
    const block = new RegExp(String.raw`interface ${each}\b.*?\{\n(.*?)\n *\}\n(?!\s*\|)`, 's').exec(
      types,
    )?.[1]
    if (block === undefined) throw new Error(`${file} has no interface ${each}`)
    const least = Math.min(...[...block.matchAll(/^ +(?=\w)/gm)].map(([indent]) => indent.length))
    return [...block.matchAll(/^( +)(\w+)\??:/gm)].flatMap(([, indent = '', key = '']) =>
      indent.length === least ? [key] : [],
    )
  })
}

function typesOf(name: string): string {
  return join(dirname(require.resolve(name)), 'types/index.d.ts')
}

test('the table of the forwarder has every option of @fastify/reply-from and @fastify/http-proxy', () => {
  const theirs = new Set([
    ...membersOf(typesOf('@fastify/reply-from'), ['FastifyReplyFromOptions', 'FastifyReplyFromHooks']),
    ...membersOf(typesOf('@fastify/http-proxy'), [
      'FastifyHttpProxyOptions',
      'FastifyHttpProxyWebsocketOptionsEnabled',
    ]),
  ])
  expect(theirs.size).toBeGreaterThan(40)
  const rows = tableOf(readme('packages/fastify'), 'options of the forwarder')
  expect(rows.flatMap(([option = '']) => codeIn(option)).toSorted()).toEqual([...theirs].toSorted())
})

test.each(['express', 'koa', 'http-proxy'])(
  'the table of the forwarder for %s has every option of http-proxy-middleware',
  name => {
    const main = require.resolve('http-proxy-middleware')
    const types = join(dirname(main), 'types.d.ts')
    const httpxy = createRequire(main).resolve('httpxy')
    const theirs = new Set([
      ...membersOf(types, ['Options']).filter(option => option !== 'on'),
      ...membersOf(types, ['OnProxyEvent']).map(event => `on.${event}`),
      ...membersOf(join(dirname(httpxy), 'index.d.mts'), ['ProxyServerOptions']),
    ])
    expect(theirs.size).toBeGreaterThan(40)
    const rows = tableOf(readme(`packages/${name}`), 'options of the forwarder')
    expect(rows.map(([option = '']) => codeIn(option)[0] ?? '').toSorted()).toEqual([...theirs].toSorted())
  },
)
