import { OptionError, optionObject } from '../../options/option.ts'
import type { AffinityPolicy, Claim } from '../policy.ts'
import type { Pool } from '../../pool/pool.ts'
import { FIELD_KINDS, type FieldReader, fieldReader } from '../../http/request-field.ts'

const UNKNOWN: Claim = { kind: 'unknown' }

/** Exactly one of the four. */
export interface RoutePolicyOptions {
  /** A header field whose value is a backend's id or alias. */
  readonly header?: string
  /** A query parameter whose value is one. */
  readonly query?: string
  /** A cookie of the application whose value ends in a dot and one, as `JSESSIONID=abc.web1` (Tomcat's jvmRoute). */
  readonly cookie?: string
  /** A parameter of the path whose value ends so, as `/cart;jsessionid=abc.web1`. Letter case does not matter. */
  readonly 'path-parameter'?: string
}

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseRouteOptions(path: string, value: unknown): FieldReader {
  const given = optionObject(path, value, FIELD_KINDS)
  const [kind, ...others] = FIELD_KINDS.filter(one => given[one] !== undefined)
  if (kind === undefined || others.length > 0)
    throw new OptionError(path, value, `one of ${FIELD_KINDS.join(', ')}`)
  const read = fieldReader(`${path}.${kind}`, kind, given[kind])
  return kind === 'cookie' || kind === 'path-parameter' ? request => read(request).flatMap(suffix) : read
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
export function routePolicy(read: FieldReader, pool: Pool): AffinityPolicy {
  return {
    name: 'route',
    read: request =>
      read(request).map(word => {
        const view = pool.named(word)
        return view === undefined ? UNKNOWN : { kind: 'backend', id: view.backend.id }
      }),
  }
}
