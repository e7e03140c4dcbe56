import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { isSupportedNode, OLDEST_NODE } from './node-version.ts'

it.each(['22.15.0', '22.20.1', '24.0.0', '26.1.0'])('Node %s is new enough', version =>
  expect(isSupportedNode(version)).toBe(true),
)

it.each(['20.19.5', '22.14.0', '18.0.0', '8.17.0'])('Node %s is too old', version =>
  expect(isSupportedNode(version)).toBe(false),
)

it('the oldest Node is that of the package', () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { engines } = JSON.parse(text) as { engines: { node: string } }
  expect(engines.node).toContain(OLDEST_NODE)
})
