import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseAllDocuments, Parser } from 'yaml'
import { BrokenFileError, MAX_DEPTH, type Statement } from './statement.ts'

/** The parser takes a time that grows with the square of some files. A configuration is a few KiB. */
const MAX_LENGTH = 256 * 1024

/**
 * Reads YAML, each document as a list of statements. An alias stays as it is written, and so is reported.
 * @throws BrokenFileError for text that is no YAML
 */
export function readYaml(text: string): readonly (readonly Statement[])[] {
  if (text.length > MAX_LENGTH) throw new BrokenFileError(1, 'a file of YAML may have 256 KiB')
  refuseDeep(text)
  refuseBroken(text)
  const lines = new LineCounter()
  const documents = attempt(() =>
    parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false }),
  )
  if (!Array.isArray(documents)) return []
  return documents.map(({ contents, errors: [error] }) => {
    if (error !== undefined)
      throw new BrokenFileError(lines.linePos(error.pos[0]).line, `it is no YAML (${error.code})`)
    return statementsOf(contents, lines, '', 0)
  })
}

/** Before any of it is parsed: brackets within brackets take the parser long. */
function refuseDeep(text: string): void {
  let depth = 0
  let line = 1
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth += 1
    if (token === ']' || token === '}') depth -= 1
    if (depth > MAX_DEPTH) throw new BrokenFileError(line, `it is nested more than ${MAX_DEPTH} deep`)
    for (let at = token.indexOf('\n'); at >= 0; at = token.indexOf('\n', at + 1)) line += 1
  }
}

/** At the first error: to collect all of them takes long. */
function refuseBroken(text: string): void {
  for (const token of new Parser().parse(text))
    if (token.type === 'error')
      throw new BrokenFileError(
        text.slice(0, token.offset).split('\n').length,
        'it is no YAML (UNEXPECTED_TOKEN)',
      )
}

function attempt<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof RangeError) throw new BrokenFileError(1, 'it is nested too deep')
    throw error
  }
}

function statementsOf(node: unknown, lines: LineCounter, above: string, depth: number): readonly Statement[] {
  const line = lineOf(node, lines)
  if (depth > MAX_DEPTH) throw new BrokenFileError(line, `it is nested more than ${MAX_DEPTH} deep`)
  if (isSeq(node))
    return node.items.map((item, index) => statementOf('-', item, `${above}[${index}]`, line, lines, depth))
  if (!isMap(node)) return []
  return node.items.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : '?'
    const path = above === '' ? name : `${above}.${name}`
    return statementOf(name, value, path, lineOf(key, lines), lines, depth)
  })
}

function statementOf(
  name: string,
  value: unknown,
  path: string,
  line: number,
  lines: LineCounter,
  depth: number,
): Statement {
  const own = name === '-' ? lineOf(value, lines, line) : line
  if (isAlias(value)) return { name, path, line: own, args: [] }
  if (isScalar(value)) {
    const content = value.value as string | number | boolean | null
    // As it is written: `1.10` is no number to a version, and a date is a text.
    const text = content === null ? [] : [value.source ?? String(content)]
    return { name, path, line: own, args: text }
  }
  return { name, path, line: own, args: [], block: statementsOf(value, lines, path, depth + 1) }
}

function lineOf(node: unknown, lines: LineCounter, fallback = 1): number {
  const range = (node as { range?: readonly number[] | null } | null)?.range
  return range?.[0] === undefined ? fallback : lines.linePos(range[0]).line
}
