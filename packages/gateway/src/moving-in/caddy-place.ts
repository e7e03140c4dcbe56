import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** Where a directive stands: what its requests have in common. */
export interface Place {
  readonly hosts: readonly (string | undefined)[]
  readonly path: string
}

/** The hosts and paths of a matcher; empty when it is of another kind. */
export function placesOf(
  matcher: string,
  { hosts, path }: Place,
  matchers: ReadonlyMap<string, Statement>,
  directive: Statement,
  report: Report,
): readonly Place[] {
  if (matcher === '*') return [{ hosts, path }]
  const definition = matchers.get(matcher)
  const lines =
    definition === undefined
      ? []
      : definition.args.length > 0
        ? [{ name: definition.args[0] ?? '', args: definition.args.slice(1) }]
        : (definition.block ?? [])
  const paths = matcher.startsWith('/')
    ? [matcher]
    : lines.filter(({ name }) => name === 'path').flatMap(({ args }) => args)
  const own = lines.filter(({ name }) => name === 'host').flatMap(({ args }) => args)
  const isKnown =
    matcher.startsWith('/') ||
    (lines.length > 0 && lines.every(({ name }) => name === 'path' || name === 'host'))
  const prefixes = paths.map(one => prefixOf(one))
  const isPlain = own.every(host => /^[\w.-]+$/.test(host)) && !prefixes.includes(undefined)
  if (
    !isKnown ||
    !isPlain ||
    (path !== '/' && paths.length > 0 && !paths.every(one => one.startsWith(path)))
  ) {
    report.lost(
      directive,
      'a route of limpet is a host and the beginning of a path',
      `${directive.name} ${matcher}`,
    )
    return []
  }
  if (definition !== undefined) report.take(definition, ...(definition.block ?? []))
  if (paths.some(one => !one.endsWith('/*')))
    report.changed(directive, 'a route takes a path and what is below it', `${directive.name} ${matcher}`)
  const found = prefixes.filter(one => one !== undefined)
  return (found.length === 0 ? [path] : found).map(one => ({
    hosts: own.length > 0 ? own : hosts,
    path: one,
  }))
}

/** limpet's prefix for a path matcher: `/api/*` is all below, and `/api` that path. */
function prefixOf(path: string): string | undefined {
  const plain = path.replace(/\*$/, '')
  return /^\/[\w/.~%-]*$/.test(plain) ? plain : undefined
}
