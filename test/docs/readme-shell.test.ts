import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAffinity } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { readme, readmes, sitePages } from '../support/readme.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SNIPPETS = [...readmes(), ...sitePages()].flatMap(({ snippets }) => snippets)
const SHELL = SNIPPETS.filter(({ language }) => language === 'sh')

describe('a block for the shell', () => {
  const lines = SHELL.flatMap(({ code }) => code.trim().split('\n'))

  test('is one of seven things', () => {
    const known =
      /^npm install |^npm (?:run )?\w+(?: -- --\w+)?$|^node -p "|^node examples\/|^limpet(?: |$)|^curl -X PATCH |^curl -si -H "Limpet-\w+: \$\(limpet token /
    expect(lines.filter(line => !known.test(line))).toEqual([])
  })

  test('that runs an example runs one that there is, and each has such a line', () => {
    const started = lines.flatMap(line => /^node (examples\/.*)$/.exec(line)?.[1] ?? [])
    const there = globSync('examples/*/start.ts', { cwd: ROOT })
    expect(new Set([...started, 'examples/fastify-gateway/start.ts'])).toEqual(new Set(there))
    const listed = readme('.').text.matchAll(/^\| \[[\w-]+\]\((examples\/(?!site\/)[\w-]+)\//gm)
    expect(new Set([...listed].map(([, folder]) => `${folder}/start.ts`))).toEqual(new Set(there))
  })

  test('that installs names packages of ours and their frameworks', () => {
    const names = lines.flatMap(line => /^npm install (?:--global )?(.*)$/.exec(line)?.[1]?.split(' ') ?? [])
    expect(names).not.toEqual([])
    for (const name of names) expect(['fastify', 'express', 'koa', ...packageNames()]).toContain(name)
  })

  test('that runs the gateway is one that its help knows', () => {
    const program = join(ROOT, 'packages/gateway/dist/main.js')
    const helps = [[], ['init'], ['drain'], ['explain'], ['token']].map(args =>
      execFileSync(process.execPath, [program, ...args, '--help'], { encoding: 'utf8' }),
    )
    // Brackets stand around flags that may be absent.
    const help = helps.join('\n').replaceAll(/[[\]]/g, '')
    const commands = lines.flatMap(line => /(?:^|(?<=\$\())limpet(?: [^)]*)?(?=$|\))/.exec(line)?.[0] ?? [])
    expect(commands).not.toEqual([])
    for (const line of commands) {
      expect(help).toContain(/^limpet(?: [\w-]+)?/.exec(line)?.[0])
      for (const [flag] of line.matchAll(/--[\w-]+/g)) expect(help).toContain(flag)
    }
  })

  test('that runs a script runs one that there is', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    for (const line of lines) {
      const script = /^npm (?!install )(?:run )?(\w+)(?: --|$)/.exec(line)?.[1]
      expect(['test', ...Object.keys(scripts)]).toContain(script ?? 'test')
    }
  })

  test('that makes a secret makes one that is taken', () => {
    const makers = lines.filter(line => line.startsWith('node -p'))
    expect(makers).not.toEqual([])
    for (const line of makers) {
      const secret = execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trim()
      createAffinity({ backends: [], secrets: [secret] })
    }
  })
})

function packageNames(): readonly string[] {
  return globSync('packages/*/package.json', { cwd: ROOT }).map(
    manifest => (JSON.parse(readFileSync(join(ROOT, manifest), 'utf8')) as { name: string }).name,
  )
}
