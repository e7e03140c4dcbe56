import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))
const OLD = 'Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.19.5"}})'

async function outcome(node: string, args: readonly string[]): Promise<readonly [number | null, string]> {
  const child = spawn(node, [...args, PROGRAM, '--version'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const error = text(child.stderr)
  const [code] = (await once(child, 'close')) as [number | null]
  return [code, await error]
}

/** Node of the machine that are too old for limpet; often there is none. */
function oldNodes(): readonly string[] {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(folder => !folder.includes('node_modules'))
    .map(folder => join(folder, 'node'))
    .filter(node => existsSync(node))
    .filter(node => /^v(?:1\d|2[01])\./.test(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout))
}

test('limpet on a Node that is too old says which it needs, and ends with 1', async () => {
  const runs = [outcome(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(OLD)}`])]
  for (const node of oldNodes()) runs.push(outcome(node, []))
  for (const [code, error] of await Promise.all(runs)) {
    expect(code).toBe(1)
    expect(error).toMatch(/^limpet: needs Node 22\.15 or newer, and this is Node \d+\.\d+\.\d+; .*\n$/)
  }
})
