import { hkdfSync } from 'node:crypto'
import type { TrustProxy } from '../http/client.ts'
import { HASH_KEY_BYTES, type KeyedHash, keyedHash, PUBLIC_HASH_KEY } from '../signing/keyed-hash.ts'
import { OptionError } from '../options/option.ts'
import { integer } from '../options/plain-kinds.ts'
import { needed, parsed } from '../options/option-kind.ts'
import { type OptionsOf, optionTable } from '../options/option-table.ts'
import type { Pool } from '../pool/pool.ts'
import { parseSecret, type Secret } from '../signing/secrets.ts'
import {
  HASH_KEYS_SCHEMA,
  HASH_KEYS_TAKE,
  type HashKey,
  type HashKeys,
  type KeyReader,
  parseHashKeys,
} from './hash-key.ts'

/** Below, a pool that is evenly loaded would turn clients away from their backends all the time. */
const MIN_BOUND = 1.05
const BOUND = `0, or a number from ${MIN_BOUND}`

/** The `hash` balancer. */
export const HASH_OPTIONS = optionTable(
  {
    /** Hash key: a part of the request. Of a list, the first that is present. */
    hash: needed(
      parsed<HashKey | readonly HashKey[], HashKeys>(HASH_KEYS_TAKE, parseHashKeys, HASH_KEYS_SCHEMA),
    ),
    /** Bits of a client's IPv4 address that count, 1 to 32. @default 32 */
    ipv4Prefix: integer({ min: 1, max: 32 }),
    /** Bits of a client's IPv6 address that count, 1 to 128: a network of 64 is one client's. @default 64 */
    ipv6Prefix: integer({ min: 1, max: 128 }),
    /**
     * The most that a backend may have of the requests in flight, as a multiple of what its weight is due: 1.05 or more.
     * A session above it goes elsewhere, and loses its place when no cookie holds it. 0: no bound. @default 0
     */
    boundedLoad: parsed<number, number>(BOUND, parseBound, { type: 'number', minimum: 0, default: 0 }),
    /** The key of the hash: 32 bytes or more. @default the oldest of secrets; without any, a public key */
    seed: parsed<Secret, Uint8Array | undefined>(
      'a secret of at least 32 bytes',
      (path, value) => (value === undefined ? undefined : parseSecret(path, value)),
      { type: 'string', minLength: 1 },
    ),
  },
  function* (checked, at) {
    for (const key of ['ipv4Prefix', 'ipv6Prefix'] as const)
      if (checked[key] !== undefined && !checked.hash.hasAddress)
        yield new OptionError(at(key), checked[key], 'nothing where no key is "ip"')
  },
)

export interface HashBalancerOptions extends OptionsOf<typeof HASH_OPTIONS> {}

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

/** @throws OptionError with every problem */
export function parseHashOptions(path: string, value: unknown, context: HashContext): HashOptions {
  const { hash, ipv4Prefix = 32, ipv6Prefix = 64, boundedLoad, seed } = HASH_OPTIONS.parse(path, value)
  return {
    readKey: hash.reader({ trusts: context.trusts, ipv4Prefix, ipv6Prefix }),
    hash: keyedHash(hashKey(seed, context)),
    boundedLoad,
  }
}

function parseBound(path: string, value: unknown): number {
  if (value === undefined || value === 0) return 0
  if (typeof value !== 'number' || !(value >= MIN_BOUND && value < Infinity))
    throw new OptionError(path, value, BOUND)
  return value
}

/** The oldest secret outlives the coming of a new one, so placement does not change before the oldest goes. */
function hashKey(seed: Uint8Array | undefined, context: HashContext): Uint8Array {
  const secret = seed ?? context.oldestSecret()
  if (secret === undefined) return PUBLIC_HASH_KEY
  return new Uint8Array(hkdfSync('sha256', secret, '', `limpet/hash/v1/${context.pool.name}`, HASH_KEY_BYTES))
}
