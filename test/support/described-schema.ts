import { type JsonSchema, table } from '@limpet/core/options'
import { KUBERNETES_OPTIONS } from '@limpet/kubernetes/options'
import { fileSchema } from '../../packages/gateway/dist/config/schema.js'
import { type Doc, type TableDocs, tableDocs } from './table-docs.ts'

/** The JSON Schema of the gateway's file, with the doc comments of the tables as descriptions. */
export function describedSchema(): JsonSchema {
  return new Describer(tableDocs()).schema(fileSchema({ kubernetes: table(KUBERNETES_OPTIONS).schema ?? {} }))
}

class Describer {
  readonly #tables: readonly TableDocs[]
  #defs: JsonSchema['$defs']

  constructor(tables: readonly TableDocs[]) {
    const replaced = new Set(tables.map(({ replaces }) => replaces))
    this.#tables = tables.filter(({ name }) => name === undefined || !replaced.has(name))
  }

  schema(root: JsonSchema): JsonSchema {
    this.#defs = root.$defs
    return this.#described(root)
  }

  #described(node: JsonSchema): JsonSchema {
    const { properties, additionalProperties, items, anyOf, $defs } = node
    const inner = (one: JsonSchema): JsonSchema => this.#described(one)
    return {
      ...node,
      ...(properties !== undefined && { properties: this.#options(node, properties) }),
      ...(typeof additionalProperties === 'object' && { additionalProperties: inner(additionalProperties) }),
      ...(items !== undefined && { items: inner(items) }),
      ...(anyOf !== undefined && { anyOf: anyOf.map(inner) }),
      ...($defs !== undefined && {
        $defs: Object.fromEntries(Object.entries($defs).map(([name, one]) => [name, inner(one)])),
      }),
    }
  }

  #options(node: JsonSchema, properties: Properties): Properties {
    // One of several keys: each has a table, and its description.
    const own = node.maxProperties === 1 ? undefined : this.#tableOf(properties)
    return Object.fromEntries(
      Object.entries(properties).map(([key, one]) => {
        const doc = own === undefined ? this.#groupDoc(one) : own.options.get(key)
        return [key, { ...(doc !== undefined && { description: textOf(doc, one) }), ...this.#described(one) }]
      }),
    )
  }

  #groupDoc(group: JsonSchema): Doc | undefined {
    const { properties } =
      group.$ref === undefined ? group : (this.#defs?.[group.$ref.replace('#/$defs/', '')] ?? group)
    return properties && this.#tableOf(properties).doc
  }

  /** The table with these options, and with the fewest that only code can give; of two the one of the file. */
  #tableOf(properties: Properties): TableDocs {
    const keys = Object.keys(properties)
    const [best, next] = this.#tables
      .filter(({ options }) => keys.every(key => options.has(key)))
      .toSorted((a, b) => a.options.size - b.options.size || Number(b.isOfFile) - Number(a.isOfFile))
    if (best === undefined) throw new Error(`no table has the options ${keys.join(', ')}`)
    if (next !== undefined && next.options.size === best.options.size && next.isOfFile === best.isOfFile)
      throw new Error(`several tables have the options ${keys.join(', ')}`)
    return best
  }
}

type Properties = NonNullable<JsonSchema['properties']>

function textOf(doc: Doc, { default: value }: JsonSchema): string {
  return doc.default === undefined || value !== undefined ? doc.text : `${doc.text} Default: ${doc.default}.`
}
