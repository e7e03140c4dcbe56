import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as core from '@limpet/core'
import * as adapter from '@limpet/core/adapter'
import * as options from '@limpet/core/options'
import * as signing from '@limpet/core/signing'
import { describe, expect, test } from 'vitest'
import { readme } from '../support/readme.ts'

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url))

/** The names that packages import of an entry of core, by entry. */
function importedNames(): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>()
  for (const path of globSync('*/src/**/*.ts', { cwd: PACKAGES, exclude: ['core/**'] })) {
    const text = readFileSync(join(PACKAGES, path), 'utf8')
    for (const [, list = '', entry = ''] of text.matchAll(
      /(?:^import|const) (?:type )?\{([^}]*)\} (?:from |= load\()'@limpet\/core(\/\w+)?'/gm,
    )) {
      const known = names.get(entry) ?? new Set()
      for (const name of list.split(',')) known.add(name.trim().replace(/^type /, ''))
      names.set(entry, known)
    }
  }
  return names
}

describe('a function, class or constant that core exports', () => {
  test('stands in the README', () => {
    const { text } = readme('packages/core')
    const missing = Object.keys(core).filter(name => !new RegExp(String.raw`\b${name}\b`).test(text))
    expect(missing).toEqual([])
  })

  test.each([
    ['/adapter', adapter],
    ['/options', options],
    ['/signing', signing],
  ])('by its entry %s is used by a package, or stands in the README', (entry, exported) => {
    const { text } = readme('packages/core')
    const used = importedNames().get(entry)
    const unused = Object.keys(exported).filter(
      name => used?.has(name) !== true && !new RegExp(String.raw`\b${name}\b`).test(text),
    )
    expect(unused).toEqual([])
  })
})
