import { BrokenFileError, type Statement } from './statement.ts'

const SECTIONS: ReadonlySet<string> = new Set([
  'global',
  'defaults',
  'frontend',
  'backend',
  'listen',
  'peers',
  'userlist',
  'resolvers',
  'mailers',
  'program',
  'ring',
  'cache',
  'http-errors',
  'fcgi-app',
  'crt-store',
  'crt-list',
  'log-forward',
  'log-profile',
  'traces',
  'acme',
])

/**
 * Reads HAProxy's grammar: a line is a directive, quotes and backslashes join words, and a section lasts until the next.
 * Indentation says nothing.
 * @throws BrokenFileError for an open quote, or a directive outside of a section
 */
export function readHaproxy(text: string): readonly Statement[] {
  const sections: (Statement & { readonly block: Statement[] })[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const [name, ...args] = wordsOf(line, index + 1)
    if (name === undefined) continue
    if (SECTIONS.has(name)) {
      sections.push({ name, args, line: index + 1, block: [] })
      continue
    }
    const section = sections.at(-1)
    if (section === undefined) {
      // Conditions of the preprocessor may stand anywhere.
      if (name.startsWith('.')) sections.push({ name, args, line: index + 1, block: [] })
      else throw new BrokenFileError(index + 1, 'a directive stands before the first section')
    } else section.block.push({ name, args, line: index + 1 })
  }
  return sections
}

/** Escapes of control characters; any other character stands for itself. */
const CONTROLS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t' }

function wordsOf(line: string, number: number): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? ''
    if (quote === "'" ? char === quote : quote !== '' && char === quote) quote = ''
    else if (char === '\\' && quote !== "'" && at + 1 < line.length) {
      at += 1
      word = `${word ?? ''}${CONTROLS[line[at] ?? ''] ?? line[at] ?? ''}`
    } else if (quote !== '') word = `${word ?? ''}${char}`
    else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (char === '#') break
    else if (char === ' ' || char === '\t' || char === '\r') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = `${word ?? ''}${char}`
  }
  if (quote !== '') throw new BrokenFileError(number, 'the line ends within a quoted text')
  if (word !== undefined) words.push(word)
  return words
}
