const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n

/** FNV-1, 64 bits: multiplies, and then takes the byte in. (draft-eastlake-fnv) */
export function fnv1(text: string): bigint {
  let hash = OFFSET
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, hash * PRIME) ^ BigInt(byte)
  return hash
}

/** FNV-1a, 64 bits: the other way round. */
export function fnv1a(text: string): bigint {
  let hash = OFFSET
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME)
  return hash
}
