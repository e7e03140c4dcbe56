import { ConfigError } from '../config/config.ts'
import { parseConfig } from '../config/config-file.ts'
import { problemText } from '../config/problem.ts'
import { mapCaddyfile } from './caddy.ts'
import { Draft } from './draft.ts'
import type { Format } from './format.ts'
import { mapHaproxy } from './haproxy.ts'
import { mapIngress } from './ingress.ts'
import { mapNginx } from './nginx.ts'
import { NothingTakenError, Report } from './report.ts'
import { mapTraefik } from './traefik.ts'

/** The result of moving in another server's file. */
export interface MovedIn {
  /** The limpet file. */
  readonly text: string
  readonly report: Report
  /** The problems that `limpet check` finds in the file, without its secrets and certificates. */
  readonly problems: readonly string[]
}

const MAPPERS: Readonly<Record<Format, (text: string, draft: Draft, report: Report) => void>> = {
  nginx: mapNginx,
  haproxy: mapHaproxy,
  traefik: mapTraefik,
  caddy: mapCaddyfile,
  ingress: mapIngress,
}

/** Stands in the place of each secret while the file is checked. */
const PLACEHOLDER = 'a-secret-that-is-known-when-limpet-starts'
const REFERENCES = ['env:LIMPET_SECRET', 'env:HAPROXY_COOKIE_KEY', 'env:CADDY_COOKIE_SECRET']

/**
 * Makes a limpet file of another server's.
 * @param name of the file, for the comment at the top
 * @throws BrokenFileError for a file that breaks its grammar, a NothingTakenError for one without a pool
 */
export function moveIn(name: string, text: string, format: Format): MovedIn {
  const draft = new Draft()
  const report = new Report()
  MAPPERS[format](text, draft, report)
  if (draft.pools.length === 0) throw new NothingTakenError(report.findings)
  shareNoCookie(draft, report)
  return { text: draft.text(headOf(name)), report, problems: problemsOf(draft) }
}

function headOf(name: string): string {
  return `Made by limpet from ${name}. Set LIMPET_SECRET to at least 32 random bytes where a cookie is signed.
When the last session from before has ended, take out accept.`
}

/** Two pools that write one cookie overwrite each other. */
function shareNoCookie(draft: Draft, report: Report): void {
  const writers = new Map<string, string>()
  for (const { name, file } of draft.pools) {
    for (const policy of file.affinity ?? []) {
      if (!('cookie' in policy)) continue
      const cookie = policy.cookie.name ?? 'SERVERID'
      const other = writers.get(cookie)
      writers.set(cookie, name)
      if (other === undefined) continue
      report.note({
        line: 1,
        kind: 'changed',
        what: `cookie ${cookie}`,
        why: `the pools ${other} and ${name} write it; where they share a host, give one another name`,
      })
    }
  }
}

function problemsOf(draft: Draft): readonly string[] {
  const { listen, pools, ...rest } = draft.value
  const checked = {
    ...rest,
    ...(listen !== undefined && {
      listen: typeof listen === 'string' ? listen : { ...listen, tls: undefined, http2: undefined },
    }),
    pools: Object.fromEntries(
      Object.entries(pools).map(([name, { tls, ...pool }]) => [
        name,
        { ...pool, ...(tls !== undefined && { tls: { ...tls, ca: undefined } }) },
      ]),
    ),
  }
  const kept = Object.fromEntries(REFERENCES.map(reference => [reference, PLACEHOLDER]))
  try {
    parseConfig({ file: 'limpet.yaml', text: JSON.stringify(checked), adapter: undefined, kept })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(problem => problemText(problem))
  }
}
