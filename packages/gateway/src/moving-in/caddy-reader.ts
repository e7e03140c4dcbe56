import { isClose, isOpen, type Token, tokensOf } from './caddy-tokens.ts'
import { BrokenFileError, MAX_DEPTH, type Statement } from './statement.ts'

type Line = readonly Token[]

/** A block of the top: its addresses, none for the global options, or an `import` beside the sites, which has no block. */
export interface SiteBlock extends Statement {
  readonly block: readonly Statement[]
}

/**
 * Reads the grammar of a Caddyfile: a line is a directive, `{` at its end opens a block, and a file without a block at
 * its top is one site.
 * @throws BrokenFileError for a file that ends within a block or a quote
 */
export function readCaddyfile(text: string): readonly SiteBlock[] {
  const all = linesOf(tokensOf(text))
  const begin = all.findIndex(line => !isImport(line))
  const imports = all.slice(0, begin === -1 ? all.length : begin).map(importOf)
  return [...imports, ...blocksOf(all.slice(imports.length))]
}

function blocksOf(lines: readonly Line[]): readonly SiteBlock[] {
  const [first = []] = lines
  const hasBlocks = lines.some(line => isOpen(line.at(-1))) && isSiteHead(lines)
  if (first.length === 0) return []
  if (hasBlocks) return new CaddyReader(lines).sites()
  const [address, ...rest] = lines
  const block = new CaddyReader(rest).directives()
  return [
    { name: 'site', args: (address ?? []).map(({ text: word }) => word), line: first[0]?.line ?? 1, block },
  ]
}

/** A site's addresses are followed by `{`, on the line where they end. */
function isSiteHead(lines: readonly Line[]): boolean {
  for (const line of lines) {
    if (isOpen(line.at(-1))) return true
    if (line.at(-1)?.text.endsWith(',') !== true) return false
  }
  return false
}

/** Another file, or a snippet. */
function isImport(line: Line): boolean {
  return line[0]?.text === 'import' && line[0].isPlain && !isOpen(line.at(-1))
}

function importOf([word, ...args]: Line): SiteBlock {
  return { name: 'import', args: args.map(({ text }) => text), line: word?.line ?? 1, block: [] }
}

function linesOf(tokens: readonly Token[]): readonly Line[] {
  const lines: Token[][] = []
  for (const token of tokens) {
    const current = lines.at(-1)
    // A closing brace is a line of its own, wherever it stands.
    if (current === undefined || current[0]?.line !== token.line || isClose(token) || isClose(current[0]))
      lines.push([token])
    else current.push(token)
  }
  return lines
}

class CaddyReader {
  readonly #lines: readonly Line[]
  #at = 0

  constructor(lines: readonly Line[]) {
    this.#lines = lines
  }

  sites(): readonly SiteBlock[] {
    const sites: SiteBlock[] = []
    let head: Token[] = []
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? []
      this.#at += 1
      const [first] = line
      if (isClose(first)) throw new BrokenFileError(first?.line ?? 1, 'a "}" has no "{"')
      if (head.length === 0 && isImport(line)) {
        sites.push(importOf(line))
        continue
      }
      if (!isOpen(line.at(-1))) {
        head.push(...line)
        continue
      }
      const words = [...head, ...line.slice(0, -1)]
      head = []
      const at = words[0]?.line ?? first?.line ?? 1
      sites.push({
        name: words.length === 0 ? 'options' : 'site',
        args: words.map(({ text }) => text),
        line: at,
        block: this.#block(at, 1),
      })
    }
    const [left] = head
    if (left !== undefined)
      throw new BrokenFileError(left.line, 'a "{" is missing behind the addresses of a site')
    return sites
  }

  /** The directives of a file that is one site. */
  directives(): readonly Statement[] {
    const all: Statement[] = []
    while (this.#at < this.#lines.length) {
      const next = this.#directive(1)
      if (next === undefined)
        throw new BrokenFileError(this.#lines[this.#at - 1]?.[0]?.line ?? 1, 'a "}" has no "{"')
      all.push(next)
    }
    return all
  }

  #block(line: number, depth: number): readonly Statement[] {
    if (depth > MAX_DEPTH) throw new BrokenFileError(line, `blocks are nested more than ${MAX_DEPTH} deep`)
    const all: Statement[] = []
    while (this.#at < this.#lines.length) {
      const next = this.#directive(depth)
      if (next === undefined) return all
      all.push(next)
    }
    throw new BrokenFileError(line, 'the file ends within this block; a "}" is missing')
  }

  /** Undefined: the block ends. */
  #directive(depth: number): Statement | undefined {
    const line = this.#lines[this.#at] ?? []
    this.#at += 1
    const [first] = line
    if (first === undefined || isClose(first)) return undefined
    const opens = isOpen(line.at(-1))
    const words = opens ? line.slice(0, -1) : line
    const [name, ...args] = words.map(({ text }) => text)
    const head = { name: name ?? '{', args, line: first.line }
    return opens ? { ...head, block: this.#block(first.line, depth + 1) } : head
  }
}
