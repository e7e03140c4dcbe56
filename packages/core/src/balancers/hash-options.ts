import { hkdfSync } from 'node:crypto'
import type { TrustProxy } from '../http/client.ts'
import { HASH_KEY_BYTES, type KeyedHash, keyedHash, PUBLIC_HASH_KEY } from '../signing/keyed-hash.ts'
import { OptionError, optionInteger, optionObject } from '../options/option.ts'
import type { Pool } from '../pool/pool.ts'
import { parseSecret, type Secret } from '../signing/secrets.ts'
import { type HashKey, type KeyReader, parseHashKeys } from './hash-key.ts'

/** The `hash` balancer as it is configured. */
export interface HashBalancerOptions {
  /** What is hashed. Of a list, the first that is present. */
  readonly hash: HashKey | readonly HashKey[]
  /** Bits of a client's IPv4 address that count, 1 to 32. @default 32 */
  readonly ipv4Prefix?: number
  /** Bits of a client's IPv6 address that count, 1 to 128: one network of 64 is one client's. @default 64 */
  readonly ipv6Prefix?: number
  /**
   * The most that a backend may have of the requests in flight, as a multiple of what its weight is due: 1.05 or more.
   * What is above goes elsewhere, and a session that no cookie holds loses its place. 0: no bound. @default 0
   */
  readonly boundedLoad?: number
  /** What the hash is keyed with: 32 bytes or more. @default the oldest of secrets; without any, a key that all know */
  readonly seed?: Secret
}

/** Options, compiled. */
export interface HashOptions {
  readonly readKey: KeyReader
  readonly hash: KeyedHash
  readonly boundedLoad: number
}

export interface HashContext {
  readonly pool: Pool
  readonly trusts: TrustProxy
  /** Of the `secrets`, where there are any. Asked for only where there is no seed. */
  oldestSecret(): Uint8Array | undefined
}

const KEYS: readonly string[] = [
  'hash',
  'ipv4Prefix',
  'ipv6Prefix',
  'boundedLoad',
  'seed',
] satisfies (keyof HashBalancerOptions)[]

/** Below, a pool that is evenly loaded would turn clients away from their backends all the time. */
const MIN_BOUND = 1.05

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseHashOptions(path: string, value: unknown, context: HashContext): HashOptions {
  const given = optionObject(path, value, KEYS)
  const { hash } = given
  const readKey = parseHashKeys(`${path}.hash`, hash, {
    trusts: context.trusts,
    ipv4Prefix: optionInteger(`${path}.ipv4Prefix`, given['ipv4Prefix'], 32, 1, 32),
    ipv6Prefix: optionInteger(`${path}.ipv6Prefix`, given['ipv6Prefix'], 64, 1, 128),
  })
  for (const name of ['ipv4Prefix', 'ipv6Prefix']) {
    if (given[name] !== undefined && ![hash].flat().includes('ip'))
      throw new OptionError(`${path}.${name}`, given[name], 'nothing where no key is "ip"')
  }
  return {
    readKey,
    hash: keyedHash(hashKey(`${path}.seed`, given['seed'], context)),
    boundedLoad: parseBound(`${path}.boundedLoad`, given['boundedLoad']),
  }
}

function parseBound(path: string, value: unknown): number {
  if (value === undefined || value === 0) return 0
  if (typeof value !== 'number' || !(value >= MIN_BOUND && value < Infinity))
    throw new OptionError(path, value, `0, or a number from ${MIN_BOUND}`)
  return value
}

/** The oldest secret outlives the coming of a new one, so placement does not change before the oldest goes. */
function hashKey(path: string, seed: unknown, context: HashContext): Uint8Array {
  const secret = seed === undefined ? context.oldestSecret() : parseSecret(path, seed)
  if (secret === undefined) return PUBLIC_HASH_KEY
  return new Uint8Array(hkdfSync('sha256', secret, '', `limpet/hash/v1/${context.pool.name}`, HASH_KEY_BYTES))
}
