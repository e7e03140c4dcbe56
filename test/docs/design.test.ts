import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { codeIn } from '../support/readme.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DESIGN = readFileSync(join(ROOT, 'DESIGN.md'), 'utf8')
const PACKAGES = foldersIn('packages/*')
const FILES = globSync(['{packages,examples,test}/**/*.*', '*.*', '.oxlintrc.jsonc'], {
  cwd: ROOT,
  exclude: path => /(?:^|\/)(?:node_modules|dist)$/.test(path),
})

/** The text of a section, without its title. */
function section(title: string): string {
  const start = DESIGN.indexOf(`\n## ${title}\n`)
  if (start < 0) throw new Error(`DESIGN.md has no section ${title}`)
  return DESIGN.slice(start + 4).split(/\n## /, 1)[0] ?? ''
}

/** Whether a path of DESIGN.md is a file or a folder: from the root, from the sources of a package, or the end of one path. */
function isThere(path: string): boolean {
  const [first = '', ...rest] = path.split('/')
  if (PACKAGES.includes(first) && rest.length > 0)
    return (
      existsSync(join(ROOT, 'packages', first, 'src', ...rest)) || existsSync(join(ROOT, 'packages', path))
    )
  return existsSync(join(ROOT, path)) || FILES.some(file => file.endsWith(`/${path}`))
}

function foldersIn(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: ROOT, withFileTypes: true })
    .filter(entry => entry.isDirectory() && !['node_modules', 'dist'].includes(entry.name))
    .map(({ name }) => name)
}

/** The paths of the picture of the folders, from the root. */
function pictured(): readonly string[] {
  const [, picture = ''] = /```\n([^]*?)```/.exec(section('Folders')) ?? []
  const around: { indent: number; path: string }[] = []
  return picture.split('\n').flatMap(line => {
    const [, space = '', names = ''] = /^( *)([^\s,]+(?:, [^\s,]+)*)/.exec(line) ?? []
    if (!/[./]/.test(names)) return []
    while ((around.at(-1)?.indent ?? -1) >= space.length) around.pop()
    const parent = around.at(-1)?.path ?? ''
    const paths = names.split(', ').map(name => join(parent, name))
    around.push({ indent: space.length, path: paths[0] ?? '' })
    return paths
  })
}

describe('DESIGN.md', () => {
  const named = new Set(codeIn(DESIGN.replaceAll(/^```[^]*?^```$/gm, '')))

  test('names files and folders that are there', () => {
    const paths = [...named].filter(
      name => /^[\w.-]+(?:\/[\w.-]+)*\/?$/.test(name) && /\w{2}\.(?:ts|mjs|md|jsonc?)$|\w\/$/.test(name),
    )
    expect(paths.length).toBeGreaterThan(40)
    expect(paths.filter(path => !isThere(path))).toEqual([])
  })

  test('shows folders that are there', () => {
    const paths = pictured()
    expect(paths.length).toBeGreaterThan(50)
    expect(paths.filter(path => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('shows every package, every folder of their sources and every folder of the tests', () => {
    const shown = new Set(pictured().map(path => path.replace(/\/$/, '')))
    const packages = PACKAGES.map(name => `packages/${name}/src`)
    const sources = packages.flatMap(src => foldersIn(`${src}/*`).map(folder => `${src}/${folder}`))
    const tests = foldersIn('test/*').map(folder => `test/${folder}`)
    expect([...packages, ...sources, ...tests].filter(path => !shown.has(path))).toEqual([])
  })

  test.each(['A sticky request', 'A request that fails over'])('walks in ten files: %s', title => {
    const steps = section(title).match(/^\d+\. .*$/gm) ?? []
    expect(steps).toHaveLength(10)
    const lost = steps.filter(step => !codeIn(step).some(name => name.endsWith('.ts') && isThere(name)))
    expect(lost).toEqual([])
  })
})
