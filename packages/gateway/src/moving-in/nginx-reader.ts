import { BrokenFileError, MAX_DEPTH, type Statement } from './statement.ts'

/**
 * Reads nginx's grammar: words, quotes, `;`, blocks, and `#` where a word could begin. Includes and variables stay as
 * they are written.
 * @throws BrokenFileError for a file that ends within a directive, a block or a quote
 */
export function readNginx(text: string): readonly Statement[] {
  return new NginxReader(text).read()
}

interface OpenBlock {
  readonly name: string
  readonly args: readonly string[]
  readonly line: number
  readonly block: Statement[]
}

class NginxReader {
  readonly #text: string
  #at = 0
  #line = 1
  #words: string[] = []
  /** Where the directive began. */
  #start = 1
  readonly #open: OpenBlock[] = []
  readonly #top: Statement[] = []
  #list: Statement[] = this.#top

  constructor(text: string) {
    this.#text = text
  }

  read(): readonly Statement[] {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] ?? '')
    const block = this.#open.at(-1)
    if (this.#words.length > 0)
      throw new BrokenFileError(this.#start, 'the file ends within a directive; a ";" is missing')
    if (block !== undefined)
      throw new BrokenFileError(block.line, 'the file ends within this block; a "}" is missing')
    return this.#top
  }

  #step(char: string): void {
    switch (char) {
      case '\n':
      case ' ':
      case '\t':
      case '\r':
        this.#skip()
        return
      case '#':
        this.#skipLine()
        return
      case ';':
        this.#skip()
        this.#end()
        return
      case '{':
        this.#skip()
        this.#begin()
        return
      case '}':
        this.#skip()
        this.#close()
        return
      default:
        if (this.#words.length === 0) this.#start = this.#line
        this.#words.push(char === '"' || char === "'" ? this.#quoted(char) : this.#word())
    }
  }

  #skip(): void {
    if (this.#text[this.#at] === '\n') this.#line += 1
    this.#at += 1
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end < 0 ? this.#text.length : end
  }

  #quoted(quote: string): string {
    const start = this.#line
    const parts: string[] = []
    this.#at += 1
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? ''
      if (char === quote) {
        this.#at += 1
        return parts.join('')
      }
      if (char === '\\' && this.#at + 1 < this.#text.length) {
        const next = this.#text[this.#at + 1] ?? ''
        // Within quotes a backslash escapes a quote and itself; any other stays, for regular expressions.
        if (next !== quote && next !== '\\') parts.push(char)
        this.#skip()
      }
      parts.push(this.#text[this.#at] ?? '')
      this.#skip()
    }
    throw new BrokenFileError(start, 'the file ends within a quoted text')
  }

  #word(): string {
    const start = this.#at
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? ''
      // `${name}` is a variable within a word.
      if (char === '$' && this.#text[this.#at + 1] === '{') this.#at += 1
      else if (/[ \t\r\n;{}]/.test(char) && !this.#isVariableEnd(char)) break
      else if (char === '\\' && this.#text[this.#at + 1] !== '\n') this.#at += 1
      this.#at += 1
    }
    return this.#text.slice(start, this.#at)
  }

  #isVariableEnd(char: string): boolean {
    if (char !== '}') return false
    const open = this.#text.lastIndexOf('${', this.#at)
    return open >= 0 && this.#at - open < 100 && /^\$\{\w+$/.test(this.#text.slice(open, this.#at))
  }

  #taken(): { name: string; args: readonly string[]; line: number } {
    const [name, ...args] = this.#words
    if (name === undefined) throw new BrokenFileError(this.#line, 'a directive has no name')
    this.#words = []
    return { name, args, line: this.#start }
  }

  #end(): void {
    this.#list.push(this.#taken())
  }

  #begin(): void {
    const head = this.#taken()
    if (head.name.endsWith('_by_lua_block')) {
      this.#skipCode(head.line)
      this.#list.push({ ...head, block: [] })
      return
    }
    if (this.#open.length >= MAX_DEPTH)
      throw new BrokenFileError(this.#line, `blocks are nested more than ${MAX_DEPTH} deep`)
    const block = { ...head, block: [] }
    this.#list.push(block)
    this.#open.push(block)
    this.#list = block.block
  }

  /** Another language, whose braces are balanced. */
  #skipCode(line: number): void {
    let depth = 1
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]
      if (char === '{') depth += 1
      if (char === '}') depth -= 1
      this.#skip()
      if (depth === 0) return
    }
    throw new BrokenFileError(line, 'the file ends within this block; a "}" is missing')
  }

  #close(): void {
    if (this.#words.length > 0)
      throw new BrokenFileError(this.#start, 'a directive ends with "}"; a ";" is missing')
    if (this.#open.pop() === undefined) throw new BrokenFileError(this.#line, 'a "}" has no "{"')
    this.#list = this.#open.at(-1)?.block ?? this.#top
  }
}
