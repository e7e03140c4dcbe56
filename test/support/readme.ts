import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SITE = 'examples/site/pages'

/** A fenced block of a README. */
export interface Snippet {
  /**
   * Where it stands: `<folder> <heading> <n>`, as `packages/core Errors 1`; the root's folder is empty. A page beside
   * the README has its name behind the folder.
   */
  readonly key: string
  readonly language: string
  readonly code: string
}

export interface Readme {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
  readonly snippets: readonly Snippet[]
}

/** Those that users read: of the repository and of each package, and the pages for users of another proxy. */
export function readmes(): readonly Readme[] {
  const pages = globSync(['packages/*/README.md', 'packages/*/COMING-FROM-*.md'], { cwd: ROOT })
  return ['README.md', ...pages].map(path =>
    pageOf(path, path.replace(/\/?README\.md$|\.md$/, '').replace(/\/(?=[A-Z-]+$)/, ' ')),
  )
}

/** The pages that are written for the site. Their snippets have keys as `site choosing Decision tree 1`. */
export function sitePages(): readonly Readme[] {
  return globSync('**/*.md', { cwd: join(ROOT, SITE) })
    .toSorted()
    .map(name => pageOf(join(SITE, name), `site ${name.replace(/\.md$/, '')}`))
}

function pageOf(path: string, place: string): Readme {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return { path, text, snippets: snippetsOf(place, text) }
}

export function readme(folder: string): Readme {
  const found = readmes().find(({ path }) => path === join(folder, 'README.md'))
  if (found === undefined) throw new Error(`no README in ${folder}`)
  return found
}

function snippetsOf(place: string, text: string): readonly Snippet[] {
  const counts = new Map<string, number>()
  let heading = ''
  const snippets: Snippet[] = []
  for (const found of text.matchAll(/^#+ (?<title>.*)$|^```(?<language>\w*)\n(?<code>[^]*?)^```$/gm)) {
    const { title, language = '', code = '' } = found.groups ?? {}
    if (title === undefined) {
      const count = (counts.get(heading) ?? 0) + 1
      counts.set(heading, count)
      snippets.push({ key: `${place} ${heading} ${count}`.trim(), language, code })
    } else {
      heading = title
    }
  }
  return snippets
}

/** The rows of the table behind `<!-- marker -->`, by their cells. */
export function tableOf(page: Readme, marker: string): readonly (readonly string[])[] {
  const [, , ...rows] = linesOf(page, marker)
  return rows
}

/** The titles of its columns. */
export function headOf(page: Readme, marker: string): readonly string[] {
  return linesOf(page, marker)[0] ?? []
}

function linesOf({ path, text }: Readme, marker: string): readonly (readonly string[])[] {
  const start = text.indexOf(`<!-- ${marker} -->`)
  if (start < 0) throw new Error(`${path} has no table of ${marker}`)
  const [table = ''] = /(?:^\|.*\n)+/m.exec(text.slice(start)) ?? []
  return table
    .trimEnd()
    .split('\n')
    .map(row =>
      row
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
}

/** The words between backticks in a cell. */
export function codeIn(cell = ''): readonly string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code)
}

/** The declaration of a type in what a package publishes. */
function declarationOf(folder: string, type: string): string {
  const start = new RegExp(`^(?:export )?(?:declare )?(?:interface|type) ${type}\\b`, 'm')
  for (const path of globSync(`${folder}/dist/**/*.d.ts`, { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, path), 'utf8')
    const found = start.exec(text)
    // Up to the next one at the margin.
    if (found !== null)
      return text.slice(found.index).split(/\n(?=export|declare|interface|type|\/\*\*)/, 1)[0] ?? ''
  }
  throw new Error(`${folder} declares no ${type}`)
}

/** The code of a row's first cell. */
export function nameOf(row: readonly string[]): string {
  return codeIn(row[0])[0] ?? ''
}

/** The members of a union of texts that core declares. */
export function wordsOf(type: string): readonly string[] {
  return [...declarationOf('packages/core', type).matchAll(/'(\w+)'/g)].map(([, word = '']) => word)
}
