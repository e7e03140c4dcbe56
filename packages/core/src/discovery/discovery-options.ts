import { isIP } from 'node:net'
import { OptionError, optionList } from '../options/option.ts'
import { duration } from '../options/duration-kind.ts'
import { text, word } from '../options/plain-kinds.ts'
import { needed, parsed } from '../options/option-kind.ts'
import { type OptionsOf, optionTable } from '../options/option-table.ts'

/** Labels of up to 63 letters, digits, hyphens and underscores (RFC 1035 §2.3.4, RFC 2782). */
const NAME = /^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/

const SERVERS = 'a list of addresses, as 10.0.0.2, 127.0.0.1:5353 or [::1]:5353'

/** Backends that are found by their name. */
export const DISCOVERY_OPTIONS = optionTable(
  {
    /** The name and the port, as `'app.internal:8080'`. Without a port for SRV, whose records tell it. */
    dns: needed(text({ takes: 'a name and a port, as app.internal:8080' })),
    /** The type of the records. @default 'A' */
    type: word(['A', 'AAAA', 'SRV'], { default: 'A' }),
    /** Looked up again after this long, or when the response's time to live is over, at least a second later. @default '10s' */
    refresh: duration({ min: 1000, default: '10s' }),
    /** The protocol of the backends. @default 'http' */
    protocol: word(['http', 'https'], { default: 'http' }),
    /** DNS servers to ask, as `'10.0.0.2'` or `'127.0.0.1:5353'`. @default the system's */
    servers: parsed<readonly string[], readonly string[] | undefined>(SERVERS, parseServers, {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
    }),
  },
  function* ({ dns, type }, at) {
    const { name, port, isWhole } = splitName(dns)
    const isNamed = isWhole && NAME.test(name) && isIP(name) === 0
    if (type === 'SRV' && !(isNamed && port === undefined))
      yield new OptionError(
        at('dns'),
        dns,
        'a name without a port, as _http._tcp.app.internal: the records tell it',
      )
    if (type !== 'SRV' && !(isNamed && isPort(port)))
      yield new OptionError(at('dns'), dns, 'a name and a port, as app.internal:8080')
  },
)

export interface DiscoveryOptions extends OptionsOf<typeof DISCOVERY_OPTIONS> {}

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

/**
 * Undefined: nothing is looked up.
 * @throws OptionError with every problem
 */
export function parseDiscovery(path: string, value: unknown): DiscoverySettings | undefined {
  if (value === undefined) return undefined
  const { dns, refresh, ...rest } = DISCOVERY_OPTIONS.parse(path, value)
  const { name, port = '0' } = splitName(dns)
  return { ...rest, name, port: Number(port), refreshMs: refresh }
}

function splitName(dns: string): { name: string; port: string | undefined; isWhole: boolean } {
  const [name = '', port, ...more] = dns.split(':')
  return { name, port, isWhole: more.length === 0 }
}

/** Node 22 ends the process at a server of port 0. */
function isPort(port: string | undefined): boolean {
  return port !== undefined && /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536
}

function parseServers(path: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  const servers = optionList(path, value, SERVERS)
  for (const server of servers) {
    const [, bare = '', port = '53'] = /^(.*?)(?::(\d{1,5}))?$/.exec(String(server)) ?? []
    const isBracketed = /^\[.*\]$/.test(bare)
    const isAddress = isBracketed
      ? isIP(bare.slice(1, -1)) === 6
      : isIP(bare) === 4 || isIP(String(server)) === 6
    if (typeof server !== 'string' || !isAddress || !isPort(port))
      throw new OptionError(path, server, SERVERS)
  }
  if (servers.length === 0) throw new OptionError(path, value, SERVERS)
  return servers as readonly string[]
}
