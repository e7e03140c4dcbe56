import { isIPv4, isIPv6 } from 'node:net'

/**
 * The 4 or 16 bytes of an address, IPv6 with or without brackets; undefined for an invalid one. An IPv4 address that is
 * mapped into IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
 */
export function addressBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const text = address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address
  if (!isIPv6(text)) return undefined
  const bytes = ipv6Bytes(text)
  return isMapped(bytes) ? bytes.subarray(12) : bytes
}

/** Of a text that is known to be one; a zone (`%eth0`) does not count. */
function ipv6Bytes(text: string): Buffer {
  const [address = ''] = text.split('%')
  const [head = '', tail] = address.split('::')
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 16 - before.length - after.length }, () => 0)
  return Buffer.from([...before, ...zeros, ...after])
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(group => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

function isMapped(bytes: Buffer): boolean {
  return bytes.readUInt32BE(8) === 0xffff && bytes.subarray(0, 8).every(byte => byte === 0)
}
