import { type HeaderFields, OptionError } from '@limpet/core'
import { kind, type OptionKind } from '@limpet/core/options'

/** A host, with its port, as an option. */
export const HOST: OptionKind<string, string | undefined, false> = kind<string, string | undefined>({
  takes: 'a host, with a port or without',
  read: (path, value, errors) => {
    if (value === undefined) return undefined
    if (typeof value === 'string' && /^[^\s/?#@\\]+$/.test(value) && URL.canParse(`http://${value}`))
      return value
    errors.push(new OptionError(path, value, HOST.takes))
    return undefined
  },
})

/** Rewritings of `Location` in redirects to the backend itself, checked. The names are those of http-proxy-middleware. */
interface LocationRewrites {
  readonly hostRewrite: string | undefined
  readonly autoRewrite: boolean
  readonly protocolRewrite: string | undefined
}

/**
 * Rewrites `Location` of a response in `fields`, in place.
 * @param backend the backend's url
 * @param host the host that the client asked
 */
export type RewriteLocation = (
  fields: HeaderFields,
  statusCode: number,
  backend: URL,
  host: string | undefined,
) => void

const REDIRECTS: ReadonlySet<number> = new Set([201, 301, 302, 303, 307, 308])

/** @returns undefined when `Location` passes as it is */
export function locationRewrite({
  hostRewrite: host,
  autoRewrite: isAuto,
  protocolRewrite: protocol,
}: LocationRewrites): RewriteLocation | undefined {
  if (host === undefined && protocol === undefined && !isAuto) return undefined
  return (fields, statusCode, backend, asked) => {
    const location = fields['location']
    if (typeof location !== 'string' || !REDIRECTS.has(statusCode)) return
    const rest = ABSOLUTE.exec(location)
    const target = rest === null ? undefined : parsedUrl(location, backend)
    // A relative reference is right for any host.
    if (target === undefined || !isOfBackend(target, backend, asked)) return
    const own = host ?? (isAuto ? asked : undefined)
    if (own !== undefined) {
      // Setting a host without a port would keep the port.
      target.port = ''
      target.host = own
    }
    if (protocol !== undefined) target.protocol = protocol
    const keepsProtocol = location.startsWith('//') && protocol === undefined
    fields['location'] = keepsProtocol ? target.href.slice(target.protocol.length) : target.href
  }
}

/** With an authority (RFC 3986 §4.2). */
const ABSOLUTE = /^(?:https?:)?\/\//i

/** Backends name themselves by their address, or by the Host that they were sent. */
function isOfBackend({ host }: URL, backend: URL, asked: string | undefined): boolean {
  return host === (backend.host || 'localhost') || host === asked?.toLowerCase()
}

function parsedUrl(location: string, backend: URL): URL | undefined {
  const base = backend.protocol === 'unix:' ? 'http://localhost' : backend.href
  return URL.canParse(location, base) ? new URL(location, base) : undefined
}
