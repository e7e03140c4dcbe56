import { type AST, parseTOML, ParseError } from 'toml-eslint-parser'
import { BrokenFileError, type Statement } from './statement.ts'

interface Growing extends Statement {
  readonly block: Growing[]
  args: readonly string[]
}

const MAX_LENGTH = 256 * 1024

/**
 * Reads TOML as statements: a table is the block of its key.
 * @throws BrokenFileError for text that is no TOML
 */
export function readToml(text: string): readonly Statement[] {
  if (text.length > MAX_LENGTH) throw new BrokenFileError(1, 'a file of TOML may have 256 KiB')
  const root = growing('', '', 1)
  const [top] = parsed(text).body
  for (const node of top.body) {
    if (node.type === 'TOMLKeyValue') assign(root, node)
    else {
      const table = tableAt(root, node.resolvedKey, node.loc.start.line)
      for (const pair of node.body) assign(table, pair)
    }
  }
  return root.block
}

function parsed(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text)
  } catch (error) {
    if (error instanceof ParseError)
      throw new BrokenFileError(error.lineNumber, `it is no TOML (${error.message})`)
    if (error instanceof RangeError) throw new BrokenFileError(1, 'it is nested too deep')
    throw error
  }
}

function growing(name: string, path: string, line: number): Growing {
  return { name, path, line, args: [], block: [] }
}

/** The block of `[a.b]`, or the next item of `[[a.b]]`: there the last key is a number. */
function tableAt(root: Growing, keys: readonly (string | number)[], line: number): Growing {
  let table = root
  for (const key of keys) table = childOf(table, key, line)
  return table
}

function childOf(parent: Growing, key: string | number, line: number): Growing {
  const known = typeof key === 'number' ? parent.block[key] : parent.block.find(({ name }) => name === key)
  if (known !== undefined) return known
  const above = parent.path ?? ''
  const path = typeof key === 'number' ? `${above}[${key}]` : above === '' ? key : `${above}.${key}`
  const made = growing(typeof key === 'number' ? '-' : key, path, line)
  parent.block.push(made)
  return made
}

function assign(table: Growing, { key, value, loc }: AST.TOMLKeyValue): void {
  const names = key.keys.map(part => (part.type === 'TOMLBare' ? part.name : part.value))
  const target = tableAt(table, names, loc.start.line)
  fill(target, value)
}

function fill(target: Growing, value: AST.TOMLContentNode): void {
  if (value.type === 'TOMLArray')
    for (const [index, element] of value.elements.entries())
      fill(childOf(target, index, element.loc.start.line), element)
  else if (value.type === 'TOMLInlineTable') for (const pair of value.body) assign(target, pair)
  else target.args = [String(value.value)]
}
