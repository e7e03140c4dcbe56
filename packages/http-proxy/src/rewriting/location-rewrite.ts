import { type HeaderFields, OptionError } from '@limpet/core'
import { optionBoolean } from '@limpet/core/options'

/** Rewritings of `Location` in redirects to the backend itself. The names are those of http-proxy-middleware. */
export interface LocationRewriteOptions {
  /** Host, with its port, for redirects to the backend itself. @default absent: `Location` passes as it is */
  readonly hostRewrite?: string | undefined
  /** Whether redirects to the backend itself get the host that the client asked. @default false */
  readonly autoRewrite?: boolean | undefined
  /** Protocol, `http` or `https`, for redirects to the backend itself. @default absent: `Location` passes as it is */
  readonly protocolRewrite?: string | undefined
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

/** @throws OptionError naming the option, the value and the accepted values */
export function parseLocationRewrite(options: LocationRewriteOptions): RewriteLocation | undefined {
  const host = checkedHost(options.hostRewrite)
  const protocol = checkedProtocol(options.protocolRewrite)
  const isAuto = optionBoolean('autoRewrite', options.autoRewrite, false)
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

function checkedHost(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^[^\s/?#@\\]+$/.test(value) || !URL.canParse(`http://${value}`))
    throw new OptionError('hostRewrite', value, 'a host, with a port or without')
  return value
}

function checkedProtocol(value: unknown): string | undefined {
  if (value !== undefined && value !== 'http' && value !== 'https')
    throw new OptionError('protocolRewrite', value, 'http or https')
  return value
}
