import { readFileSync } from 'node:fs'
import type { Entry, Section } from './contents.ts'

/* The options of the gateway's file, from the JSON Schema that is generated from the tables of options. */

const SCHEMA = new URL('../../packages/gateway/schema.json', import.meta.url)

/** A generated page. Its source is the path that links in the repository name; there is no such file. */
function generated(path: string, title: string): Entry {
  return { title, path, source: `examples/site/pages/${path}.md` }
}

const FILE = generated('reference/file', 'Options of the file')
const POOL = generated('reference/pool', 'Options of a pool')

export const REFERENCE: Section = { title: 'Reference', entries: [FILE, POOL] }

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
}

/** The pages of the reference, with their Markdown. */
export function referencePages(): readonly (readonly [Entry, string])[] {
  const root = JSON.parse(readFileSync(SCHEMA, 'utf8')) as Schema
  const { pools, ...others } = root.properties ?? {}
  const pool = pools?.additionalProperties
  if (typeof pool !== 'object') throw new Error('schema.json has no pools')
  const file = { ...root, properties: { ...others, pools: { ...pools, additionalProperties: true } } }
  return [
    [
      FILE,
      `# Options of the file\n\nAll options of [the command's file](../../../../packages/gateway/README.md#the-file), except those [of a pool](pool.md). An editor shows the same with the [JSON Schema](../../../../packages/gateway/README.md#the-file).\n\n${new Reference(root).sections('The file', file)}`,
    ],
    [
      POOL,
      `# Options of a pool\n\nAll options of a pool in [the command's file](file.md). In code they have the same names; [the tables of core](../../../../packages/core/README.md#options) have those that only code can give.\n\n${new Reference(root).sections('A pool', pool)}`,
    ],
  ]
}

class Reference {
  readonly #defs: Readonly<Record<string, Schema>>

  constructor({ $defs = {} }: Schema) {
    this.#defs = $defs
  }

  /** A section for a group of options, and one for each group in it. */
  sections(title: string, group: Schema): string {
    const rows = Object.entries(group.properties ?? {}).map(([name, option]) => {
      const isNeeded = group.required?.includes(name) === true
      const value = option.default ?? option.anyOf?.find(one => one.default !== undefined)?.default
      const [, text = '', inWords = ''] =
        /^([^]*?)(?: Default: ([^]*)\.)?$/.exec(option.description ?? '') ?? []
      const standard = value === undefined ? inWords : `\`${JSON.stringify(value)}\``
      return `| \`${name}\` | ${cell(this.#takes(option))} | ${isNeeded ? 'needed' : cell(standard)} | ${cell(text)} |`
    })
    const table = ['| option | takes | default | what it does |', '| --- | --- | --- | --- |', ...rows].join(
      '\n',
    )
    const inner = Object.entries(group.properties ?? {}).flatMap(([name, option]) =>
      this.#groupsIn(option).map(one =>
        this.sections(`${title === 'The file' || title === 'A pool' ? '' : `${title}.`}${name}`, one),
      ),
    )
    return [`## ${title}\n\n${table}\n`, ...inner].join('\n')
  }

  /** The groups of options that a value may be, or may be a list of. */
  #groupsIn(value: Schema): readonly Schema[] {
    const { items, anyOf = [], properties, additionalProperties } = this.#resolved(value)
    return [
      ...(properties === undefined ? [] : [this.#resolved(value)]),
      ...(items === undefined ? [] : this.#groupsIn(items)),
      ...(typeof additionalProperties === 'object' ? this.#groupsIn(additionalProperties) : []),
      ...anyOf.flatMap(one => this.#groupsIn(one)),
    ]
  }

  #resolved(value: Schema): Schema {
    const name = value.$ref?.replace('#/$defs/', '')
    return name === undefined ? value : (this.#defs[name] ?? value)
  }

  /** The values that an option takes, in words. */
  #takes(value: Schema): string {
    const { type, anyOf, items, minimum, maximum, pattern = '', ...rest } = this.#resolved(value)
    if (rest.const !== undefined) return `\`${JSON.stringify(rest.const)}\``
    if (rest.enum !== undefined) return rest.enum.map(word => `\`${String(word)}\``).join(', ')
    if (anyOf !== undefined) return [...new Set(anyOf.map(one => this.#takes(one)))].join(' or ')
    if (items !== undefined) return `list: ${this.#takes(items)}`
    if (type === 'integer' || type === 'number')
      return minimum === undefined || maximum === undefined ? 'a number' : `${minimum} to ${maximum}`
    if (pattern.endsWith('(?:ms|s|m|h|d)$')) return 'a duration'
    if (/[KM]iB/.test(pattern)) return 'a size'
    return { string: 'a text', boolean: '`true`, `false`', object: 'an object' }[type ?? ''] ?? 'a value'
  }
}

/** A text in a cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')
}
