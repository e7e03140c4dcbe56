import type { HeaderFields } from './heads.ts'

type Merge = (application: string, backend: string) => string

/**
 * Merges fields that both the application and the backend have in a response, in place. Other fields of the backend
 * replace those of the application.
 * - `Vary`, `Server-Timing`, and `Access-Control-Allow-Headers`, `-Allow-Methods` and `-Expose-Headers` have the
 *   members of both (RFC 9110 §5.6.1). Without the application's part of `Vary`, a shared cache would give one
 *   client's response to another (RFC 9111 §4.1).
 * - `Cache-Control` has the directives of both; the application's count where a directive has two values, and
 *   `private` or `no-store` of either removes `public`.
 * - `Access-Control-Allow-Origin`, `-Allow-Credentials` and `-Max-Age` are the application's: browsers reject two
 *   origins, and half of each policy is neither.
 * @param fields the backend's, by lower-case name
 * @param ofApplication the value that the application has set for a name, such as `response.getHeader`
 */
export function mergeFields(fields: HeaderFields, ofApplication: (name: string) => unknown): void {
  for (const [name, merge] of MERGES) {
    const backend = fields[name]
    if (backend === undefined) continue
    const application = ofApplication(name)
    if (application === undefined) continue
    fields[name] = merge(textOf(application), textOf(backend))
  }
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value)
}

const applications: Merge = application => application

/** Members of both, each once. Names of fields and of methods are told apart without regard to case. */
function union(application: string, backend: string): string {
  const members = new Map<string, string>()
  for (const member of [...membersOf(application), ...membersOf(backend)]) {
    const key = member.toLowerCase()
    if (!members.has(key)) members.set(key, member)
  }
  return [...members.values()].join(', ')
}

/** `*` stands for everything that a request has (RFC 9110 §12.5.5). */
function varyUnion(application: string, backend: string): string {
  const all = union(application, backend)
  return membersOf(all).includes('*') ? '*' : all
}

function both(application: string, backend: string): string {
  return [application, backend].filter(value => value !== '').join(', ')
}

function directives(application: string, backend: string): string {
  const known = new Map<string, string>()
  for (const directive of [...membersOf(application), ...membersOf(backend)]) {
    const name = directive.split('=', 1)[0]?.trim().toLowerCase() ?? ''
    if (!known.has(name)) known.set(name, directive)
  }
  if (known.has('private') || known.has('no-store')) known.delete('public')
  return [...known.values()].join(', ')
}

/** Members of a list; a comma in quotes separates nothing. */
function membersOf(value: string): readonly string[] {
  return (value.match(MEMBERS) ?? []).map(member => member.trim()).filter(member => member !== '')
}

const MEMBERS = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g

const MERGES: readonly (readonly [name: string, merge: Merge])[] = [
  ['vary', varyUnion],
  ['cache-control', directives],
  ['server-timing', both],
  ['access-control-allow-headers', union],
  ['access-control-allow-methods', union],
  ['access-control-expose-headers', union],
  ['access-control-allow-origin', applications],
  ['access-control-allow-credentials', applications],
  ['access-control-max-age', applications],
]
