import { addressBytes } from './address-bytes.ts'

/** Bits of an address that count. */
export interface Prefixes {
  readonly ipv4Prefix: number
  readonly ipv6Prefix: number
}

/** The network of `address`, as text: equal for all its addresses and for no other. Undefined for an invalid address. */
export function addressBlock(address: string, { ipv4Prefix, ipv6Prefix }: Prefixes): string | undefined {
  const bytes = addressBytes(address)
  if (bytes === undefined) return undefined
  const prefix = bytes.length === 4 ? ipv4Prefix : ipv6Prefix
  const whole = prefix >> 3
  // Zero when the prefix ends with a byte, so that nothing is left of the one behind it.
  if (whole < bytes.length) bytes[whole] = (bytes[whole] ?? 0) & (0xff00 >> (prefix & 7))
  return bytes.fill(0, whole + 1).toString('hex')
}
