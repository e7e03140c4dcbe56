import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** The path of the route for a `location`; undefined: limpet has none. */
export function pathOf(location: Statement, report: Report): string | undefined {
  const [first = '', second] = location.args
  const path = second ?? first
  if (first === '=' || first === '^~' || (second === undefined && first.startsWith('/'))) {
    if (first === '=')
      report.changed(location, 'a route takes the path and all below it', `location = ${path}`)
    else if (path !== '/' && !path.endsWith('/'))
      report.changed(
        location,
        `the route takes ${path} and what is below ${path}/, and nothing else that begins so`,
        `location ${path}`,
      )
    if (path.startsWith('/')) return path
  }
  report.lost(location, 'a route of limpet is a path and all below it, not a pattern', `location ${first}`)
  return undefined
}
