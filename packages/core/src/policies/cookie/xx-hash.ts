/*
 * XXH64 (Collet), as HAProxy makes its dynamic cookies. Called once for each backend, so it is written to be read: the
 * packages that have it are WebAssembly, which would have to be waited for.
 */

const MASK = (1n << 64n) - 1n
const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n

/** The hash of `bytes` with the seed 0. */
export function xxHash64(bytes: Buffer): bigint {
  let at = 0
  let hash = P5
  if (bytes.length >= 32) {
    const lanes = [P1 + P2, P2, 0n, -P1]
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [lane, value] of lanes.entries())
        lanes[lane] = round(value, bytes.readBigUInt64LE(at + lane * 8))
    }
    hash = lanes.reduce((sum, value, lane) => sum + rotate(value, [1n, 7n, 12n, 18n][lane] ?? 0n), 0n)
    for (const value of lanes) hash = (hash ^ round(0n, value)) * P1 + P4
  }
  hash += BigInt(bytes.length)
  for (; at + 8 <= bytes.length; at += 8) {
    hash = rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4
  }
  for (; at + 4 <= bytes.length; at += 4) {
    hash = rotate(hash ^ (BigInt(bytes.readUInt32LE(at)) * P1), 23n) * P2 + P3
  }
  for (; at < bytes.length; at += 1) hash = rotate(hash ^ (BigInt(bytes.readUInt8(at)) * P5), 11n) * P1
  hash = mixed(hash, 33n) * P2
  hash = mixed(hash, 29n) * P3
  return mixed(hash, 32n)
}

function round(lane: bigint, input: bigint): bigint {
  return (rotate(lane + input * P2, 31n) * P1) & MASK
}

function rotate(value: bigint, bits: bigint): bigint {
  const word = value & MASK
  return ((word << bits) | (word >> (64n - bits))) & MASK
}

function mixed(value: bigint, bits: bigint): bigint {
  const word = value & MASK
  return word ^ (word >> bits)
}
