import { BrokenFileError, MAX_DEPTH, type Statement } from './statement.ts'

interface Token {
  readonly text: string
  readonly line: number
  /** A brace within quotes opens nothing. */
  readonly isPlain: boolean
}

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

function isOpen(token: Token | undefined): boolean {
  return token?.text === '{' && token.isPlain
}

function isClose(token: Token | undefined): boolean {
  return token?.text === '}' && token.isPlain
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

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  let line = 1
  let at = 0
  // The words of a line that a backslash continues count as one line.
  let joined = 0
  while (at < text.length) {
    const char = text[at] ?? ''
    if (char === '\n') {
      line += 1
      joined = 0
      at += 1
    } else if (/\s/.test(char)) at += 1
    else if (char === '\\' && text[at + 1] === '\n') {
      line += 1
      joined += 1
      at += 2
    } else if (char === '#') {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    } else {
      const { word, end, isPlain } = wordAt(text, at, line)
      tokens.push({ text: word, line: line - joined, isPlain })
      const rows = text.slice(at, end).split('\n').length - 1
      line += rows
      joined += rows
      at = end
    }
  }
  return tokens
}

function wordAt(text: string, at: number, line: number): { word: string; end: number; isPlain: boolean } {
  const quote = text[at]
  if (quote === '"' || quote === '`') return quotedAt(text, at, quote, line)
  const marker = /^<<(\w+)\n/.exec(text.slice(at, at + 100))?.[1]
  if (marker !== undefined) return heredocAt(text, at, marker, line)
  let end = at
  while (end < text.length && !/\s/.test(text[end] ?? ''))
    end += text[end] === '\\' && text[end + 1] !== '\n' ? 2 : 1
  return { word: text.slice(at, end), end: Math.min(end, text.length), isPlain: true }
}

function quotedAt(
  text: string,
  at: number,
  quote: string,
  line: number,
): { word: string; end: number; isPlain: boolean } {
  const parts: string[] = []
  for (let end = at + 1; end < text.length; end += 1) {
    const char = text[end] ?? ''
    if (char === quote) return { word: parts.join(''), end: end + 1, isPlain: false }
    if (quote === '"' && char === '\\' && text[end + 1] === '"') end += 1
    parts.push(text[end] ?? '')
  }
  throw new BrokenFileError(line, 'the file ends within a quoted text')
}

function heredocAt(
  text: string,
  at: number,
  marker: string,
  line: number,
): { word: string; end: number; isPlain: boolean } {
  const start = at + marker.length + 3
  const close = new RegExp(`^[ \\t]*${marker}(?=\\s|$)`, 'm').exec(text.slice(start))
  if (close === null) throw new BrokenFileError(line, `the file ends within a text that ${marker} should end`)
  return {
    word: text.slice(start, start + close.index),
    end: start + close.index + close[0].length,
    isPlain: false,
  }
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
