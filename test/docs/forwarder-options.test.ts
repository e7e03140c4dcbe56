import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { codeIn, readme, tableOf } from '../support/readme.ts'

const require = createRequire(import.meta.url)

/** The names of the properties of these interfaces, as the package with this main file declares them. */
function optionsOf(main: string, interfaces: readonly string[]): readonly string[] {
  const types = readFileSync(join(dirname(main), 'types/index.d.ts'), 'utf8')
  return interfaces.flatMap(each => {
    const block = new RegExp(String.raw`interface ${each} .*?\{\n(.*?)\n *\}\n`, 's').exec(types)?.[1]
    if (block === undefined) throw new Error(`${main} has no interface ${each}`)
    const least = Math.min(...[...block.matchAll(/^ +(?=\w)/gm)].map(([indent]) => indent.length))
    return [...block.matchAll(/^( +)(\w+)\??:/gm)].flatMap(([, indent = '', key = '']) =>
      indent.length === least ? [key] : [],
    )
  })
}

test('the table of the forwarder has every option of @fastify/reply-from and @fastify/http-proxy', () => {
  const theirs = new Set([
    ...optionsOf(require.resolve('@fastify/reply-from'), [
      'FastifyReplyFromOptions',
      'FastifyReplyFromHooks',
    ]),
    ...optionsOf(require.resolve('@fastify/http-proxy'), [
      'FastifyHttpProxyOptions',
      'FastifyHttpProxyWebsocketOptionsEnabled',
    ]),
  ])
  expect(theirs.size).toBeGreaterThan(40)
  const rows = tableOf(readme('packages/fastify'), 'options of the forwarder')
  expect(rows.flatMap(([option = '']) => codeIn(option)).toSorted()).toEqual([...theirs].toSorted())
})
