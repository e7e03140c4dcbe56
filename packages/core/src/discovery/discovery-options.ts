import { isIP } from 'node:net'
import { type Duration, durationMs } from '../options/duration.ts'
import { OptionError, optionList, optionObject, optionOneOf } from '../options/option.ts'

/** Backends that are found by their name. */
export interface DiscoveryOptions {
  /** The name and the port, as `'app.internal:8080'`. Without a port for SRV, whose records tell it. */
  readonly dns: string
  /** @default 'A' */
  readonly type?: 'A' | 'AAAA' | 'SRV'
  /** Looked up again after this long, or when the answer's time to live is over, at least a second later. @default '10s' */
  readonly refresh?: Duration
  /** How the backends are spoken to. @default 'http' */
  readonly protocol?: 'http' | 'https'
  /** DNS servers to ask, as `'10.0.0.2'` or `'127.0.0.1:5353'`. @default the system's */
  readonly servers?: readonly string[]
}

/** The same, complete and checked. */
export interface DiscoverySettings {
  readonly name: string
  /** 0: that of the record. */
  readonly port: number
  readonly type: 'A' | 'AAAA' | 'SRV'
  readonly refreshMs: number
  readonly protocol: 'http' | 'https'
  readonly servers: readonly string[] | undefined
}

const KEYS: readonly string[] = [
  'dns',
  'type',
  'refresh',
  'protocol',
  'servers',
] satisfies (keyof DiscoveryOptions)[]

/** Labels of up to 63 letters, digits, hyphens and underscores (RFC 1035 §2.3.4, RFC 2782). */
const NAME = /^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/

/**
 * Undefined: nothing is looked up.
 * @throws OptionError naming the option, what it got and what it takes.
 */
export function parseDiscovery(path: string, value: unknown): DiscoverySettings | undefined {
  if (value === undefined) return undefined
  const given = optionObject(path, value, KEYS)
  const type = optionOneOf(`${path}.type`, given['type'], 'A', ['A', 'AAAA', 'SRV'])
  const takes =
    type === 'SRV'
      ? 'a name without a port, as _http._tcp.app.internal: the records tell it'
      : 'a name and a port, as app.internal:8080'
  const { dns } = given
  if (typeof dns !== 'string') throw new OptionError(`${path}.dns`, dns, takes)
  const [name = '', port, ...more] = dns.split(':')
  const hasPort = port !== undefined && /^[1-9]\d{0,4}$/.test(port) && Number(port) < 65_536
  if (
    !NAME.test(name) ||
    isIP(name) !== 0 ||
    more.length > 0 ||
    (type === 'SRV' ? port !== undefined : !hasPort)
  )
    throw new OptionError(`${path}.dns`, dns, takes)
  const refreshMs = durationMs(`${path}.refresh`, given['refresh'], '10s')
  if (refreshMs < 1_000)
    throw new OptionError(`${path}.refresh`, given['refresh'], 'a duration of at least 1s')
  return {
    name,
    port: Number(port ?? 0),
    type,
    refreshMs,
    protocol: optionOneOf(`${path}.protocol`, given['protocol'], 'http', ['http', 'https']),
    servers: given['servers'] === undefined ? undefined : parseServers(`${path}.servers`, given['servers']),
  }
}

function parseServers(path: string, value: unknown): readonly string[] {
  const takes = 'a list of addresses, as 10.0.0.2, 127.0.0.1:5353 or [::1]:5353'
  const servers = optionList(path, value, takes)
  for (const server of servers) {
    const [, bare = '', port = '53'] = /^(.*?)(?::(\d{1,5}))?$/.exec(String(server)) ?? []
    const isBracketed = /^\[.*\]$/.test(bare)
    const isAddress = isBracketed
      ? isIP(bare.slice(1, -1)) === 6
      : isIP(bare) === 4 || isIP(String(server)) === 6
    // Node 22 ends the process at a server of port 0.
    const isPort = Number(port) > 0 && Number(port) < 65_536
    if (typeof server !== 'string' || !isAddress || !isPort) throw new OptionError(path, server, takes)
  }
  if (servers.length === 0) throw new OptionError(path, value, takes)
  return servers as readonly string[]
}
