import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
// TypeScript 7 has no interface for programs. Editors show with either what the declarations hold.
import ts from 'typescript-5'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = ['core', 'http-proxy', 'express', 'koa', 'fastify', 'redis', 'kubernetes']

/** The built declarations of a package, which editors read. */
function declarationsOf(name: string): string {
  return join(ROOT, 'packages', name, 'dist/index.d.ts')
}

const program = ts.createProgram(PACKAGES.map(declarationsOf), {
  module: ts.ModuleKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  types: ['node'],
})
const checker = program.getTypeChecker()

/** An option as an editor shows it. */
interface Shown {
  /** As `LimpetOptions.timeouts.connect`. */
  readonly path: string
  readonly prose: string
  readonly tags: readonly string[]
}

/** The options of a type by path: of tables, interfaces, intersections, unions and lists, and those within them. */
function optionsIn(type: ts.Type, path: string, seen = new Set<ts.Type>()): readonly Shown[] {
  if (seen.has(type)) return []
  seen.add(type)
  if (type.isUnionOrIntersection()) {
    // An intersection shows an option that several of its types have with the prose of all.
    const whole = type.isIntersection() ? propertiesOf(type, path, seen) : []
    const named = new Set(whole.map(shown => shown.path))
    const parts = type.types.flatMap(part => optionsIn(part, path, seen))
    return [...whole, ...parts.filter(shown => !named.has(shown.path))]
  }
  const item = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference)[0] : undefined
  if (item !== undefined) return optionsIn(item, `${path}[]`, seen)
  return isGroup(type) ? propertiesOf(type, path, seen) : []
}

/** Whether a type is a group of options, and no class, function or interface for something else. */
function isGroup(type: ts.Type): boolean {
  const name = (type.aliasSymbol ?? type.symbol)?.name ?? ''
  return type.getCallSignatures().length === 0 && /^__type$|^__object$|Options$|Events$|Format$/.test(name)
}

function propertiesOf(type: ts.Type, path: string, seen: Set<ts.Type>): readonly Shown[] {
  const found: Shown[] = []
  for (const property of checker.getPropertiesOfType(type)) {
    const isOurs = property.declarations?.some(({ parent }) =>
      /\/packages\/[a-z-]+\/dist\//.test(parent.getSourceFile().fileName),
    )
    if (isOurs !== true) continue
    const at = `${path}.${property.name}`
    found.push({
      path: at,
      prose: ts.displayPartsToString(property.getDocumentationComment(checker)),
      tags: property.getJsDocTags(checker).map(tag => tag.name),
    })
    found.push(...optionsIn(checker.getTypeOfSymbol(property), at, seen))
  }
  return found
}

describe.each(PACKAGES)('the published options of packages/%s', name => {
  const source = program.getSourceFile(declarationsOf(name))
  const module = source && checker.getSymbolAtLocation(source)
  const types = (module === undefined ? [] : checker.getExportsOfModule(module)).filter(symbol =>
    symbol.name.endsWith('Options'),
  )
  const options = types.flatMap(symbol =>
    optionsIn(
      checker.getDeclaredTypeOfSymbol(
        symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      ),
      symbol.name,
    ),
  )

  test('have prose for editors to show', () => {
    expect(options).not.toEqual([])
    const silent = options.filter(({ prose }) => !/\w{2}/.test(prose))
    expect(silent.map(({ path }) => path)).toEqual([])
  })

  test('have prose that no @ cuts short', () => {
    const cut = options.filter(({ tags }) => tags.some(tag => tag !== 'default' && tag !== 'throws'))
    expect(cut.map(({ path }) => path)).toEqual([])
  })
})

test('the options of tables, intersections and groups are found', () => {
  const paths = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === declarationsOf('fastify'))
    .flatMap(source => {
      const module = checker.getSymbolAtLocation(source)
      const symbol = module && checker.tryGetMemberInModuleExports('LimpetOptions', module)
      return symbol === undefined
        ? []
        : optionsIn(checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol)), '')
    })
    .map(({ path }) => path)
  expect(paths).toEqual(
    expect.arrayContaining([
      '.timeouts.connect',
      '.secrets',
      '.backends[].weight',
      '.health.path',
      '.rewritePrefix',
      '.requestHeaders.set',
      '.use',
    ]),
  )
})
