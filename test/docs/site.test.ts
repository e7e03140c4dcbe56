import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONTENTS } from '@limpet-example/site/contents'
import { deadLinks } from '@limpet-example/site/dead-links'
import { siteContent } from '@limpet-example/site/pages'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parse } from 'yaml'
import { run } from '../../packages/gateway/dist/command.js'
import { sitePages } from '../support/readme.ts'

/** The site of `npm run site`. Blocks of TypeScript are in readme.test.ts, those for the shell in readme-shell.test.ts. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { pages: PAGES, pictures: PICTURES } = siteContent()
const TLS = fileURLToPath(new URL('../support/tls/', import.meta.url))
const SNIPPETS = sitePages().flatMap(({ snippets }) => snippets)
const YAML = SNIPPETS.filter(({ language }) => language === 'yaml')

/** A file of this text in a folder of its own. */
function fileOf(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'site-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** The exit code and the outputs of the command. Warnings are errors here: both go to the standard error. */
async function command(...args: readonly string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', '']
  const code = await run(args, { out: text => (out += text), error: text => (error += text) })
  return { code, out, error }
}

describe('the site', () => {
  test('has no dead link', () => {
    expect(deadLinks(PAGES)).toEqual([])
  })

  test('has every page that is written for it, and every README', () => {
    const shown = CONTENTS.flatMap(({ entries }) => entries.map(({ source }) => source))
    const there = globSync(
      ['examples/site/pages/**/*.md', 'packages/*/*.md', 'examples/*/README.md', '*.md'],
      {
        cwd: ROOT,
      },
    ).filter(path => !path.endsWith('CHANGELOG.md'))
    expect(shown.toSorted()).toEqual(there.toSorted())
  })

  test('shows the pictures of its pages, the stats page among them', () => {
    const text = [...PAGES.values()].join('\n')
    const shown = Array.from(text.matchAll(/^!\[[^\]]+\]\(\/([^)]+)\)$/gm), ([, path]) => path)
    expect(new Set(shown)).toEqual(new Set(PICTURES.keys()))
    expect(PAGES.get('operations')).toContain('](/pictures/packages-stats-stats-page.jpg)')
  })

  test('shows the options of a pool with their defaults', () => {
    const page = PAGES.get('reference/pool') ?? ''
    expect(page).toContain('| `maxAttempts` | 1 to 100 | `3` |')
    expect(page).toMatch(/^## affinity\.cookie$/m)
  })
})

test.each([
  ['a page that is not there', '[x](/b.md)', ['a: /b.md']],
  ['a heading that is not there', '# One\n\n[x](#two)', ['a: #two']],
  ['a link of the repository that was not rewritten', '[x](../README.md)', ['a: ../README.md']],
  ['a picture, which is no page', '![x](/x.jpg)', []],
  ['no link', '# One two\n\n[x](/a.md#one-two), `[x](/b.md)`\n\n```md\n[x](/b.md)\n```\n', []],
])('a dead link is found: %s', (_what, text, found) => {
  expect(deadLinks(new Map([['a', text]]))).toEqual(found)
})

test.each(YAML.map(({ key, code }) => [key, code]))(
  'the file of %s is valid, without a warning',
  async (_key, code) => {
    vi.stubEnv('LIMPET_SECRET', 'a-secret-of-the-tests-0123456789abcdef')
    vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:6379')
    onTestFinished(() => void vi.unstubAllEnvs())
    const local = code
      .replace('file:/etc/limpet/secret', 'env:LIMPET_SECRET')
      .replace('/etc/limpet/cert.pem', `${TLS}certificate.pem`)
      .replace('/etc/limpet/key.pem', `${TLS}key.pem`)
    const { code: exit, error } = await command('check', '--config', fileOf('limpet.yaml', local))
    expect([exit, error]).toEqual([0, ''])
  },
)

test('the file that limpet from makes of the HAProxy configuration is the one that is shown', async () => {
  const haproxy = SNIPPETS.find(({ language }) => language === 'haproxy')?.code ?? ''
  const shown = YAML.find(({ key }) => key.startsWith('site moving-in'))?.code ?? ''
  const { code, out } = await command('from', fileOf('haproxy.cfg', haproxy))
  expect(code).toBe(0)
  expect(parse(out)).toEqual(parse(shown))
})
