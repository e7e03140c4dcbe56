import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Comment, type Expression, type Node, parseSync, Visitor } from 'oxc-parser'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SOURCES = [
  'packages/{core,http-proxy,fastify,kubernetes,redis}/src/**/*.ts',
  'packages/gateway/src/config/*.ts',
]

/** The doc comment of an option, or of a table. */
export interface Doc {
  readonly text: string
  /** The value behind `@default`. */
  readonly default: string | undefined
}

/** A table of options as the source has it. */
export interface TableDocs {
  /** Its constant; undefined for a table that stands in an expression. */
  readonly name: string | undefined
  readonly doc: Doc | undefined
  /** By option; undefined: it has no comment. */
  readonly options: ReadonlyMap<string, Doc | undefined>
  /** The constant of the table whose place it takes in a file. */
  readonly replaces: string | undefined
  /** The gateway declares it for its file. */
  readonly isOfFile: boolean
}

/** The options of a table by name, in its order. @param name of its constant */
export function optionDocs(name: string): ReadonlyMap<string, Doc> {
  const [table, ...others] = tableDocs().filter(one => one.name === name)
  if (table === undefined || others.length > 0) throw new Error(`there is no table ${name}, or several`)
  return new Map(
    [...table.options].map(([key, doc]) => {
      if (doc === undefined) throw new Error(`${name}.${key} has no comment`)
      return [key, doc]
    }),
  )
}

/** All tables of the packages that a file of the gateway can have options of. */
export function tableDocs(): readonly TableDocs[] {
  const tables = globSync(SOURCES, { cwd: ROOT, exclude: path => path.endsWith('.test.ts') })
    .toSorted()
    .flatMap(path => tablesIn(readFileSync(join(ROOT, path), 'utf8'), path.startsWith('packages/gateway/')))
  const named = new Map(tables.map(table => [table.name, table]))
  const optionsOf = ({ spreads, options }: SourceTable): TableDocs['options'] =>
    new Map([
      ...spreads.flatMap(name => {
        const spread = named.get(name)
        return spread === undefined ? [] : [...optionsOf(spread)]
      }),
      ...options,
    ])
  return tables.map(table => {
    const { name, doc, replaces, isOfFile } = table
    return { name, doc, replaces, isOfFile, options: optionsOf(table) }
  })
}

interface SourceTable extends TableDocs {
  /** The constants of tables whose options are spread into it. */
  readonly spreads: readonly string[]
}

function tablesIn(text: string, isOfFile: boolean): readonly SourceTable[] {
  const { program, comments } = parseSync('source.ts', text)
  const docOf = docReader(text, comments)
  const tables: SourceTable[] = []
  const names = new Map<Node, { name: string; start: number }>()
  new Visitor({
    ExportNamedDeclaration: ({ declaration, start }) => {
      if (declaration?.type === 'VariableDeclaration') noteName(declaration.declarations[0], start)
    },
    VariableDeclaration: ({ declarations, start }) => noteName(declarations[0], start),
    CallExpression(call) {
      const { callee } = call
      const maker = callee.type === 'Identifier' ? callee.name : ''
      const [group, kinds] = call.arguments
      const options = maker === 'optionTable' ? group : maker === 'withKinds' ? kinds : undefined
      if (options?.type !== 'ObjectExpression') return
      const replaces = maker === 'withKinds' && group?.type === 'Identifier' ? group.name : undefined
      const named = names.get(call)
      tables.push({
        name: named?.name,
        doc: named && docOf(named.start),
        replaces,
        isOfFile,
        spreads: [
          ...(replaces === undefined ? [] : [replaces]),
          ...options.properties.flatMap(one =>
            one.type === 'SpreadElement' ? spreadName(one.argument) : [],
          ),
        ],
        options: new Map(
          options.properties.flatMap(one =>
            one.type === 'Property' ? [[keyOf(one.key), docOf(one.start)] as const] : [],
          ),
        ),
      })
    },
  }).visit(program)
  return tables

  /** An exported declaration is noted first, with the place of its `export`. */
  function noteName(declarator: { id: Node; init: Node | null } | undefined, start: number): void {
    if (declarator?.init && declarator.id.type === 'Identifier' && !names.has(declarator.init))
      names.set(declarator.init, { name: declarator.id.name, start })
  }
}

/** Of `TABLE.options`: the table. */
function spreadName(argument: Expression): readonly string[] {
  return argument.type === 'MemberExpression' && argument.object.type === 'Identifier'
    ? [argument.object.name]
    : []
}

function keyOf(key: Node): string {
  if (key.type === 'Identifier') return key.name
  if (key.type === 'Literal') return String(key.value)
  throw new Error(`an option has a computed name (${key.type})`)
}

/** Reads the doc comment in front of a place; line comments may stand between. */
function docReader(text: string, comments: readonly Comment[]): (start: number) => Doc | undefined {
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
  return start => {
    const doc = docs.findLast(({ end }) => end <= start)
    const between = doc === undefined ? '' : text.slice(doc.end, start).replaceAll(/\/\/.*/g, '')
    if (doc === undefined || between.trim() !== '') return undefined
    const prose = doc.value
      .slice(1)
      .replaceAll(/\s*\n\s*\*?\s*/g, ' ')
      .trim()
    const [words = '', value] = prose.split(/\s*@default /)
    return { text: words, default: value }
  }
}
