import { BrokenFileError } from './statement.ts'

/** A word of a Caddyfile. */
export interface Token {
  readonly text: string
  readonly line: number
  /** A brace within quotes opens nothing. */
  readonly isPlain: boolean
}

export function isOpen(token: Token | undefined): boolean {
  return token?.text === '{' && token.isPlain
}

export function isClose(token: Token | undefined): boolean {
  return token?.text === '}' && token.isPlain
}

/** A word, and where it ends in the text. */
interface Word {
  readonly word: string
  readonly end: number
  readonly isPlain: boolean
}

/** The words of a Caddyfile. @throws BrokenFileError for a file that ends within a quote */
export function tokensOf(text: string): readonly Token[] {
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

function wordAt(text: string, at: number, line: number): Word {
  const quote = text[at]
  if (quote === '"' || quote === '`') return quotedAt(text, at, quote, line)
  const marker = /^<<(\w+)\n/.exec(text.slice(at, at + 100))?.[1]
  if (marker !== undefined) return heredocAt(text, at, marker, line)
  let end = at
  while (end < text.length && !/\s/.test(text[end] ?? ''))
    end += text[end] === '\\' && text[end + 1] !== '\n' ? 2 : 1
  return { word: text.slice(at, end), end: Math.min(end, text.length), isPlain: true }
}

function quotedAt(text: string, at: number, quote: string, line: number): Word {
  const parts: string[] = []
  for (let end = at + 1; end < text.length; end += 1) {
    const char = text[end] ?? ''
    if (char === quote) return { word: parts.join(''), end: end + 1, isPlain: false }
    if (quote === '"' && char === '\\' && text[end + 1] === '"') end += 1
    parts.push(text[end] ?? '')
  }
  throw new BrokenFileError(line, 'the file ends within a quoted text')
}

function heredocAt(text: string, at: number, marker: string, line: number): Word {
  const start = at + marker.length + 3
  const close = new RegExp(`^[ \\t]*${marker}(?=\\s|$)`, 'm').exec(text.slice(start))
  if (close === null) throw new BrokenFileError(line, `the file ends within a text that ${marker} should end`)
  return {
    word: text.slice(start, start + close.index),
    end: start + close.index + close[0].length,
    isPlain: false,
  }
}
