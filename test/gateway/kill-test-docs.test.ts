import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { KillTestProcess } from '../support/kill-test-process.ts'
import { codeIn, tableOf } from '../support/readme.ts'

const PATH = fileURLToPath(new URL('../../packages/gateway/KILL-TEST.md', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))
const text = readFileSync(PATH, 'utf8')
const page = { path: 'packages/gateway/KILL-TEST.md', text, snippets: [] }

const SCENARIOS = blocksOf('yaml')
const INLINE = [...text.matchAll(/`(limpet kill-test [^`]+)`/g)].map(([, code = '']) => code)
const COMMANDS = [...blocksOf('sh'), ...INLINE]

function blocksOf(language: string): readonly string[] {
  const blocks = text.matchAll(/^```(?<language>\w+)\n(?<code>[^]*?)^```$/gm)
  return [...blocks].flatMap(({ groups }) =>
    groups?.['language'] === language ? [groups['code'] ?? ''] : [],
  )
}

describe('KILL-TEST.md', () => {
  test.each(SCENARIOS)('has scenarios that are good: %s', async scenario => {
    const { code, error } = await new KillTestProcess(['--print'], scenario).ended()
    expect(error).toBe('')
    expect(code).toBe(0)
  })

  test.each(COMMANDS)('has commands that are good: %s', command => {
    const folder = mkdtempSync(join(tmpdir(), 'limpet-commands-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    for (const [index, name] of ['shop.yaml', 'visits.yaml'].entries())
      writeFileSync(join(folder, name), SCENARIOS[index] ?? '')
    // With --print the command checks its options and its scenario, and sends nothing.
    const limpet = `limpet() { "${process.execPath}" "${PROGRAM}" "$@" --print; }`
    const { status, stderr } = spawnSync('sh', ['-c', `${limpet}\n${command}`], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  test('lists the options of the command', async () => {
    const { out } = await new KillTestProcess(['--help']).ended()
    const options = new Set(out.match(/--[a-z][\w-]+/g))
    const listed = tableOf(page, 'options of the command').map(([option]) => codeIn(option)[0] ?? '')
    expect(listed.toSorted()).toEqual([...options].toSorted())
  })

  test.each([
    ['a scenario', { colour: 1, repeat: [{ get: '/' }] }, 'keys of a scenario'],
    ['a step', { repeat: [{ get: '/', colour: 1 }] }, 'keys of a step'],
  ])('lists the keys of %s', async (_what, scenario, table) => {
    // The problem of an unknown key lists those that are known.
    const { error } = await new KillTestProcess([], scenario).ended()
    const known = /known are (.*)/.exec(error)?.[1]?.split(', ') ?? []
    const listed = tableOf(page, table).flatMap(([key]) => codeIn(key))
    const methods = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'websocket'])
    expect(listed.toSorted()).toEqual(known.filter(key => !methods.has(key)).toSorted())
    expect(known.length).toBeGreaterThan(5)
  })

  test('has links that lead somewhere', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, link = '']) => link)
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter(link => !existsSync(join(dirname(PATH), link)))).toEqual([])
  })
})
