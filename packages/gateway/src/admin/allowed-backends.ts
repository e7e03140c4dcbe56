import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import type { GatewayConfig } from '../config/config.ts'

const LINK_LOCAL = listOf(['169.254.0.0/16', 'fe80::/10'])
const LOOPBACK = listOf(['127.0.0.0/8', '::1/128'])

const HOST = /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/

/** Whether an entry of `admin.allowBackends` is one: an address, a range, a host, `*.domain`, or `unix:` and a path. */
export function isBackendRule(rule: string): boolean {
  if (rule.startsWith('unix:')) return /^unix:\/./.test(rule)
  return rangeOf(rule) !== undefined || (HOST.test(rule) && !/^[\d.]+$/.test(rule))
}

/**
 * Whether the admin port may add a backend of this url.
 *
 * Without `admin.allowBackends`, backends may be where those of the file are: on the same hosts, in the same networks (/24
 * of IPv4, /64 of IPv6), and on loopback where one of them is. Link-local addresses, where clouds keep credentials, and
 * sockets in the file system need an entry of their own: a wider range does not contain them.
 */
export function allowsBackend({ admin, pools }: GatewayConfig, url: URL): boolean {
  const rules =
    admin?.allowBackends ??
    pools.flatMap(({ options }) =>
      ('backends' in options ? (options.backends ?? []) : []).flatMap(backend => neighbours(backend.url)),
    )
  if (url.protocol === 'unix:') return rules.some(rule => allowsSocket(rule, url))
  const host = hostOf(url)
  if (isIP(host) === 0) return rules.some(rule => allowsName(rule, host))
  const ranges = rules.filter(rule => rangeOf(rule) !== undefined)
  const fitting = contains(LINK_LOCAL, host) ? ranges.filter(isLinkLocal) : ranges
  return contains(listOf(fitting), host)
}

/** The addresses that a configured backend allows. */
function neighbours(url: string | URL): readonly string[] {
  const parsed = URL.canParse(String(url)) ? new URL(String(url)) : undefined
  if (parsed === undefined || parsed.protocol === 'unix:') return []
  const host = hostOf(parsed)
  const family = isIP(host)
  if (host === 'localhost' || (family !== 0 && contains(LOOPBACK, host)))
    return ['127.0.0.0/8', '::1', 'localhost']
  if (family === 0) return [host]
  return contains(LINK_LOCAL, host) ? [] : [`${host}/${family === 6 ? 64 : 24}`]
}

function allowsSocket(rule: string, { pathname }: URL): boolean {
  if (!rule.startsWith('unix:')) return false
  let path: string
  try {
    path = resolve(decodeURIComponent(pathname))
  } catch {
    return false
  }
  const allowed = rule.slice('unix:'.length)
  return allowed.endsWith('/') ? path.startsWith(allowed) && path.length > allowed.length : path === allowed
}

function allowsName(rule: string, host: string): boolean {
  const name = rule.toLowerCase()
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name
}

function isLinkLocal(rule: string): boolean {
  const { address = '', prefix = 0, family } = rangeOf(rule) ?? {}
  return contains(LINK_LOCAL, address) && prefix >= (family === 'ipv6' ? 10 : 16)
}

interface Range {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

function rangeOf(rule: string): Range | undefined {
  const [address = '', bits, ...more] = rule.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0 || address.includes('%')) return undefined
  const most = version === 6 ? 128 : 32
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  return prefix <= most ? { address, prefix, family: version === 6 ? 'ipv6' : 'ipv4' } : undefined
}

function listOf(rules: readonly string[]): BlockList {
  const list = new BlockList()
  for (const rule of rules) {
    const range = rangeOf(rule)
    if (range !== undefined) list.addSubnet(range.address, range.prefix, range.family)
  }
  return list
}

/** An IPv4 address that is mapped into IPv6 is that address. */
function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}
