import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The doc comment of an option in its table. */
export interface OptionDoc {
  readonly text: string
  /** The value behind `@default`. */
  readonly default: string | undefined
}

/** The options of a table by name, in its order, from what a package publishes. @param table the table's constant */
export function optionDocs(folder: string, table: string): ReadonlyMap<string, OptionDoc> {
  for (const path of globSync(`${folder}/dist/**/*.d.ts`, { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, path), 'utf8')
    const start = text.search(new RegExp(`^(?:export )?declare const ${table}\\b.*OptionTable<\\{$`, 'm'))
    if (start >= 0) return docsIn(text.slice(start).split(/^\}>;$/m, 1)[0] ?? '')
  }
  throw new Error(`${folder} has no table ${table}`)
}

/** The declaration has an entry at each indentation of four: its comment, and `readonly NAME: …`. */
function docsIn(declaration: string): ReadonlyMap<string, OptionDoc> {
  const entries = declaration.matchAll(/^ {4}\/\*\*((?:(?!\*\/)[^])*)\*\/\n {4}readonly '?"?([\w-]+)"?'?:/gm)
  return new Map(
    [...entries].map(([, comment = '', name = '']) => {
      const prose = comment.replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim()
      const [text = '', value] = prose.split(/\s*@default /)
      return [name, { text, default: value }]
    }),
  )
}
