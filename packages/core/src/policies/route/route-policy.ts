import { OptionError } from '../../options/option.ts'
import { text } from '../../options/plain-kinds.ts'
import { type OptionsOf, optionTable } from '../../options/option-table.ts'
import type { AffinityPolicy, Claim } from '../policy.ts'
import type { Pool } from '../../pool/pool.ts'
import { masked } from '../masked.ts'
import { FIELD_KINDS, type FieldReader, fieldReader } from '../../http/request-field.ts'
import { TOKEN } from '../../http/token.ts'

const NONE: Claim = { kind: 'none' }
const UNKNOWN: Claim = { kind: 'unknown' }

function nameOf(kind: string): ReturnType<typeof text> {
  return text({ pattern: TOKEN, takes: `the name of a ${kind}, a token (RFC 9110 §5.6.2)` })
}

/** The `route` policy: exactly one of the four. */
export const ROUTE_OPTIONS = optionTable(
  {
    /** A header field whose value is a backend's id or alias. */
    header: nameOf('header'),
    /** A query parameter whose value is one. */
    query: text({ takes: 'a name' }),
    /** A cookie of the application whose value ends in a dot and one, as `JSESSIONID=abc.web1` (Tomcat's jvmRoute). */
    cookie: nameOf('cookie'),
    /** A parameter of the path whose value ends so, as `/cart;jsessionid=abc.web1`. Letter case does not matter. */
    'path-parameter': nameOf('path-parameter'),
  },
  function* (given, at) {
    if (FIELD_KINDS.filter(kind => given[kind] !== undefined).length !== 1)
      yield new OptionError(at(), {}, `one of ${FIELD_KINDS.join(', ')}`)
  },
)

export interface RoutePolicyOptions extends OptionsOf<typeof ROUTE_OPTIONS> {}

/** @throws OptionError with every problem */
export function parseRouteOptions(path: string, value: unknown): RouteField {
  const given = ROUTE_OPTIONS.parse(path, value)
  const kind = FIELD_KINDS.find(one => given[one] !== undefined) ?? 'header'
  const read = fieldReader(`${path}.${kind}`, kind, given[kind])
  return {
    name: `${kind} ${given[kind]}`,
    read: kind === 'cookie' || kind === 'path-parameter' ? request => read(request).flatMap(suffix) : read,
  }
}

/** The place of the word. */
export interface RouteField {
  /** As `query backend`. */
  readonly name: string
  readonly read: FieldReader
}

function suffix(value: string): string[] {
  const dot = value.lastIndexOf('.')
  return dot < 0 ? [] : [value.slice(dot + 1)]
}

/**
 * The request names its backend itself (nginx Plus `sticky route`, HAProxy `use-server`, Apache `route`), in a word
 * from the application or from the client.
 * Good for: applications that know their own id, and tools that want one certain backend.
 * The price: it is not signed, so every client may choose.
 */
export function routePolicy({ name: field, read }: RouteField, pool: Pool): AffinityPolicy {
  function claimOf(word: string): Claim {
    const view = pool.named(word)
    return view === undefined ? UNKNOWN : { kind: 'backend', id: view.backend.id }
  }
  return {
    name: 'route',
    read: request => read(request).map(claimOf),
    explain(request) {
      const words = read(request)
      if (words.length === 0) return [{ claim: NONE, field, note: 'the request has no such word' }]
      return words.map(word => {
        const claim = claimOf(word)
        const note =
          claim.kind === 'backend' ? 'the word names a backend' : 'no backend of the pool has this name'
        return { claim, field, format: 'word', value: masked(word), note }
      })
    },
  }
}
