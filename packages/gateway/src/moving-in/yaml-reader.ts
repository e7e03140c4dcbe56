import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import { BrokenFileError, MAX_DEPTH, type Statement } from './statement.ts'

/**
 * Reads YAML, each document as a list of statements. An alias stays as it is written, and so is reported.
 * @throws BrokenFileError for text that is no YAML
 */
export function readYaml(text: string): readonly (readonly Statement[])[] {
  const lines = new LineCounter()
  const documents = attempt(() => parseAllDocuments(text, { lineCounter: lines, prettyErrors: false }))
  if (!Array.isArray(documents)) return []
  return documents.map(({ contents, errors: [error] }) => {
    if (error !== undefined)
      throw new BrokenFileError(lines.linePos(error.pos[0]).line, `it is no YAML (${error.code})`)
    return statementsOf(contents, lines, '', 0)
  })
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
