import { BlockList, isIP } from 'node:net'
import type { RequestHead } from '../head.ts'
import { OptionError, optionList, throwAll } from '../options/option.ts'
import { attempt } from '../options/option-kind.ts'

/** Whether the proxy at `address` is believed about the client behind it. */
export type TrustProxy = (address: string | undefined) => boolean

/** The client, as far as this gateway can vouch for it. */
export interface Client {
  readonly address: string | undefined
  /** Whether it came by TLS. */
  readonly isSecure: boolean
  /** Whether the peer is a trusted proxy: then its forwarding fields are used. */
  readonly isProxied: boolean
}

/**
 * Compiles `trustProxy`: a list of addresses and CIDR ranges. An empty list trusts no address.
 * @throws OptionError for an entry that is neither.
 */
export function compileTrustProxy(path: string, value: unknown): TrustProxy {
  const list = optionList(path, value ?? [], 'a list of addresses and CIDR ranges')
  if (list.length === 0) return () => false
  const trusted = new BlockList()
  const errors: OptionError[] = []
  for (const [index, item] of list.entries())
    attempt(() => addRange(trusted, `${path}[${index}]`, item), errors)
  throwAll(errors)
  return address => {
    const family = address === undefined ? 0 : isIP(address)
    return address !== undefined && family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

function addRange(list: BlockList, path: string, item: unknown): void {
  const takes = 'an address or a CIDR range, as "10.0.0.1" or "10.0.0.0/8"'
  const [address = '', prefix, ...more] = typeof item === 'string' ? item.split('/') : []
  const family = isIP(address)
  if (family === 0 || more.length > 0) throw new OptionError(path, item, takes)
  const type = family === 6 ? 'ipv6' : 'ipv4'
  const bits = family === 6 ? 128 : 32
  if (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
    throw new OptionError(path, item, takes)
  list.addSubnet(address, prefix === undefined ? bits : Number(prefix), type)
}

/** The client of `request`: the peer of the socket, or the client that a trusted proxy reports. */
export function clientOf(request: RequestHead, trusts: TrustProxy): Client {
  const peer = plainAddress(request.remoteAddress)
  if (!trusts(peer)) return { address: peer, isSecure: request.encrypted, isProxied: false }
  const proto = lastElement(request.headers['x-forwarded-proto'])?.toLowerCase()
  return {
    address: originalAddress(peer, request.headers['x-forwarded-for'], trusts),
    isSecure: proto === 'https' || (proto !== 'http' && request.encrypted),
    isProxied: true,
  }
}

/**
 * From the right, the first address that is not a trusted proxy's: everything to its left is hearsay.
 * (The leftmost, which some take, is whatever the client wrote.)
 */
function originalAddress(
  peer: string | undefined,
  field: string | string[] | undefined,
  trusts: TrustProxy,
): string | undefined {
  let address = peer
  for (const element of elements(field).toReversed()) {
    const next = plainAddress(withoutPort(element))
    if (next === undefined || isIP(next) === 0) return address
    address = next
    if (!trusts(address)) return address
  }
  return address
}

/** `::ffff:192.0.2.1` is how a dual-stack socket spells 192.0.2.1. */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') === true && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

function withoutPort(element: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(element)?.[1] ?? /^([\d.]+):\d+$/.exec(element)?.[1] ?? element
}

function elements(field: string | string[] | undefined): readonly string[] {
  if (field === undefined) return []
  const line = typeof field === 'string' ? field : field.join(',')
  return line.split(',').map(element => element.trim())
}

function lastElement(field: string | string[] | undefined): string | undefined {
  return elements(field).at(-1)
}
