import { existsSync, readFileSync, statSync } from 'node:fs'
import { extname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONTENTS, type Entry } from './contents.ts'
import { REFERENCE, referencePages } from './reference.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Pages by their source: links of the repository lead to them. */
const BY_SOURCE = new Map(
  [...CONTENTS, REFERENCE].flatMap(({ entries }) => entries.map(entry => [entry.source, entry] as const)),
)

export interface SiteContent {
  /** The Markdown of all pages, by their path on the site. Links of the repository are links of the site. */
  readonly pages: ReadonlyMap<string, string>
  /** Files with the pictures of the pages, by their path on the site. */
  readonly pictures: ReadonlyMap<string, string>
}

export function siteContent(): SiteContent {
  const writer = new PageWriter()
  for (const { entries } of CONTENTS)
    for (const entry of entries) writer.write(entry, readFileSync(join(ROOT, entry.source), 'utf8'))
  for (const [entry, text] of referencePages()) writer.write(entry, text)
  return writer
}

/** Languages of files that are not called like their extension. */
const LANGUAGES: Readonly<Record<string, string>> = { '': 'text', service: 'ini' }

class PageWriter {
  readonly pages = new Map<string, string>()
  readonly pictures = new Map<string, string>()

  write({ path, source }: Entry, text: string): void {
    const written = outsideOfCode(withFiles(source, text), prose =>
      prose
        .replaceAll(
          /!\[([^\]]*)\]\((?!https?:)([^)\s]+)\)/g,
          (_picture, label: string, target: string) => `![${label}](/${this.#picture(source, target)})`,
        )
        .replaceAll(
          /(?<!!)\[((?:[^[\]]|\[[^\]]*\])*)\]\((?!https?:|#)([^)\s]+)\)/g,
          (_link, label: string, target: string) => this.#link(source, label, target),
        ),
    )
    this.pages.set(path, written)
  }

  /** @throws if the target is a Markdown file that the site does not have */
  #link(source: string, label: string, target: string): string {
    const [file = '', anchor] = target.split('#')
    const at = posix.join(posix.dirname(source), file)
    const found = BY_SOURCE.get(at)
    if (found !== undefined) return `[${label}](/${found.path}.md${anchor === undefined ? '' : `#${anchor}`})`
    if (file.endsWith('.md') || !existsSync(join(ROOT, at)))
      throw new Error(`${source} links to ${target}, which is no page of the site; add it to contents.ts`)
    // The site shows files, and only names folders.
    return statSync(join(ROOT, at)).isDirectory() ? label : `[${label}](/${this.#file(at)}.md)`
  }

  /** The path of a picture on the site. @throws if the repository does not have it */
  #picture(source: string, target: string): string {
    const at = posix.join(posix.dirname(source), target)
    if (!existsSync(join(ROOT, at))) throw new Error(`${source} shows ${target}, which is not there`)
    const path = `pictures/${at.replaceAll(/[^\w.]+/g, '-')}`
    this.pictures.set(path, join(ROOT, at))
    return path
  }

  /** The path of a page that shows a file of the repository. */
  #file(at: string): string {
    const path = `files/${at.replaceAll(/[^\w]+/g, '-')}`
    this.pages.set(path, `---\nsearch: false\n---\n\n# ${posix.basename(at)}\n\n\`${at}\`\n\n${fenced(at)}`)
    return path
  }
}

/** Lines `<<< path` are replaced by the file of that path. */
function withFiles(source: string, text: string): string {
  return text.replaceAll(/^<<< (\S+)$/gm, (_line, path: string) =>
    fenced(posix.join(posix.dirname(source), path)),
  )
}

function fenced(at: string): string {
  const text = readFileSync(join(ROOT, at), 'utf8')
  const extension = extname(at).slice(1)
  return `\`\`\`\`${LANGUAGES[extension] ?? extension}\n${text.trimEnd()}\n\`\`\`\``
}

/** Edits the text; fenced code stays as it is. */
function outsideOfCode(text: string, edit: (prose: string) => string): string {
  let edited = ''
  let from = 0
  for (const { 0: code, index } of text.matchAll(/^(`{3,}).*\n[^]*?^\1$/gm)) {
    edited += edit(text.slice(from, index)) + code
    from = index + code.length
  }
  return edited + edit(text.slice(from))
}
