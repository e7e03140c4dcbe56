import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** A frontend, a backend, or a `listen`, which is both. */
export interface Proxy {
  readonly section: Statement
  readonly name: string
  readonly lines: readonly Statement[]
  readonly defaults: readonly Statement[]
}

/** The proxies of a file, with the defaults that stand before each. */
export function proxiesOf(sections: readonly Statement[], report: Report): readonly Proxy[] {
  const proxies: Proxy[] = []
  const named = new Map<string, readonly Statement[]>()
  let defaults: readonly Statement[] = []
  for (const section of sections) {
    const { name: kind, args, block = [] } = section
    const from = args[args.indexOf('from') + 1]
    const base = args.includes('from') && from !== undefined ? (named.get(from) ?? []) : defaults
    if (kind === 'defaults') {
      defaults = [...(args.includes('from') ? base : []), ...block]
      if (args[0] !== undefined) named.set(args[0], defaults)
      report.take(section)
    } else if (/^(?:frontend|backend|listen)$/.test(kind))
      proxies.push({ section, name: args[0] ?? '', lines: block, defaults: base })
  }
  return proxies
}
