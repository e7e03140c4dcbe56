import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The interfaces of options that a package publishes. */
function optionTypes(folder: string): readonly string[] {
  const index = readFileSync(join(ROOT, folder, 'dist/index.d.ts'), 'utf8')
  return [...new Set([...index.matchAll(/\b\w+Options\b/g)].map(([name]) => name))]
}

/** The properties of an interface that have no doc comment. Tables of options have theirs in the table. */
function undocumented(folder: string, type: string): readonly string[] {
  const missing: string[] = []
  for (const file of globSync(join(folder, 'dist/**/*.d.ts'), { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const body = new RegExp(`^export interface ${type}\\b[^{]*\\{\\n([^]*?)^\\}`, 'm').exec(text)?.[1] ?? ''
    const lines = body.split('\n')
    lines.forEach((line, index) => {
      const [, name] = /^ {4}(?:readonly )?(\w+)\??:/.exec(line) ?? []
      if (name !== undefined && !/\*\/\s*$/.test(lines[index - 1] ?? '')) missing.push(`${type}.${name}`)
    })
  }
  return missing
}

describe.each(['core', 'http-proxy', 'express', 'koa', 'fastify', 'redis', 'kubernetes'])(
  'the published options of packages/%s',
  name => {
    const folder = `packages/${name}`

    test('have prose for editors to show', () => {
      const types = optionTypes(folder)
      expect(types).not.toEqual([])
      expect(types.flatMap(type => undocumented(folder, type))).toEqual([])
    })
  },
)
