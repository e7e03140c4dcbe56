import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readme, readmes } from '../support/readme.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('a link', () => {
  test.each(readmes())('of $path leads somewhere', ({ path, text }) => {
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file = '', anchor = ''] = target.split('#')
      const to = file === '' ? join(ROOT, path) : join(ROOT, dirname(path), file)
      expect([target, existsSync(to)]).toEqual([target, true])
      expect(['', ...anchorsIn(to)]).toContain(anchor)
    }
  })

  test('of the first page names every package that has a README', () => {
    const rows = readme('.').text.matchAll(/^\| \[`(.*?)`\]\((.*?)\/README\.md\)/gm)
    const listed = [...rows].map(([, name, folder]) => `${folder} ${name}`)
    const there = globSync('packages/*/README.md', { cwd: ROOT }).map(path => {
      const folder = dirname(path)
      return `${folder} ${nameOf(join(folder, 'package.json'))}`
    })
    expect(new Set(listed)).toEqual(new Set(there))
  })
})

function anchorsIn(path: string): readonly string[] {
  if (!path.endsWith('.md')) return []
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)
  // As GitHub makes them: punctuation is dropped.
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function nameOf(manifest: string): string {
  return (JSON.parse(readFileSync(join(ROOT, manifest), 'utf8')) as { name: string }).name
}
