import type { AffinityStatus } from '../counts/affinity-status.ts'
import { isRecord, keyPath, OptionError, throwAll } from '../options/option.ts'
import { attempt, compiled, type OptionKind, parsed } from '../options/option-kind.ts'
import { table, withKinds } from '../options/option-table.ts'
import { HEADER_EDIT_OPTIONS, type HeaderEditOptions, parseHeaderSet, SET } from './header-edits.ts'
import type { HeaderFields } from './heads.ts'

/** The values of the variables in a response's edits. */
export interface ResponseFacts {
  /** The id of the backend that responded. */
  readonly backend: string
  readonly pool: string
  readonly affinity: AffinityStatus
}

/** A text, or its parts: texts at even places, and variables at odd ones. */
type Template = string | readonly string[]

/** Edits of a response's header, checked: names in lower case. */
export interface ResponseEdits {
  readonly set: ReadonlyMap<string, Template>
  readonly remove: ReadonlySet<string>
}

const VARIABLES: readonly string[] = ['backend', 'pool', 'affinity'] satisfies (keyof ResponseFacts)[]
const TAKES = VARIABLES.map(name => `\${${name}}`).join(', ')
/** `$${` stands for `${`. */
const VARIABLE = /(\$\$\{)|\$\{([^{}]*)\}/g

const RESPONSE_EDIT_OPTIONS = withKinds(HEADER_EDIT_OPTIONS, {
  /**
   * Fields to set, by name; lines that the response has for them are replaced. `${backend}`, `${pool}` and `${affinity}`
   * in a value stand for the id of the backend, the name of the pool and the affinity status; `$${` for `${`.
   */
  set: parsed<Readonly<Record<string, string>> | undefined, ResponseEdits['set']>(SET, parseTemplates, {
    type: 'object',
    additionalProperties: { type: 'string' },
  }),
})

/** Edits of responses as an option; undefined when there is nothing to edit. */
export const RESPONSE_EDITS: OptionKind<HeaderEditOptions, ResponseEdits | undefined, false> = compiled(
  table(RESPONSE_EDIT_OPTIONS),
  edits => (edits.set.size === 0 && edits.remove.size === 0 ? undefined : edits),
)

/** Sets and removes fields, in place. */
export function editResponse(
  fields: HeaderFields,
  { set, remove }: ResponseEdits,
  facts: ResponseFacts,
): void {
  for (const name of remove) delete fields[name]
  for (const [name, template] of set)
    fields[name] = typeof template === 'string' ? template : filled(template, facts)
}

function filled(parts: readonly string[], facts: ResponseFacts): string {
  return parts.map((part, index) => (index % 2 === 0 ? part : facts[part as keyof ResponseFacts])).join('')
}

/** @throws OptionError with every field that cannot be set */
function parseTemplates(path: string, fields: unknown = {}): ResponseEdits['set'] {
  if (!isRecord(fields)) throw new OptionError(path, fields, SET)
  const errors: OptionError[] = []
  const templates = new Map<string, Template>()
  const texts: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    const template =
      typeof value === 'string' ? attempt(() => parseTemplate(keyPath(path, name), value), errors) : undefined
    if (template !== undefined) templates.set(name.toLowerCase(), template)
    // The text around the variables; their values are legal in a field.
    texts[name] =
      typeof template === 'object'
        ? template.filter((_, index) => index % 2 === 0).join('')
        : (template ?? value)
  }
  attempt(() => parseHeaderSet(path, texts), errors)
  throwAll(errors)
  return templates
}

/** @throws OptionError for a variable that is unknown */
function parseTemplate(path: string, text: string): Template {
  const parts: string[] = ['']
  let end = 0
  function add(literal: string): void {
    parts.push(`${parts.pop() ?? ''}${literal}`)
  }
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, escaped, name = ''] = match
    add(text.slice(end, match.index))
    end = match.index + whole.length
    if (escaped !== undefined) add('${')
    else if (VARIABLES.includes(name)) parts.push(name, '')
    else
      throw new OptionError(
        path,
        text,
        '',
        `has a variable that is not known, \${${name}}; known are ${TAKES}, and $$\{ stands for $\{`,
      )
  }
  add(text.slice(end))
  return parts.length === 1 ? (parts[0] ?? '') : parts
}
