import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { type BackendTags, backendTags } from '../backend-tags.ts'
import { deriveKeys } from '../../signing/signing-key.ts'
import { HASH_KEY_BYTES, keyedHash } from '../../signing/keyed-hash.ts'
import type { Pool } from '../../pool/pool.ts'

/**
 * Names that stand for session ids and backends in a shared store, under one secret. A reader of the store learns
 * neither the ids nor the names of the backends, and sees which entries are equal.
 */
export interface Pseudonyms {
  /** The tags of the pool's backends, 16 characters of `A-Z a-z 0-9 _ -` each. */
  readonly tags: BackendTags
  /** 16 bytes: the `hashKey` of a `MemoryStore` whose entries `hashOf` finds. */
  readonly hashKey: Uint8Array
  /** The name of a session id: 22 characters of `A-Z a-z 0-9 _ -`. The same in every process that has the secret. */
  nameOf(sessionId: string): string
  /**
   * Writes the 64 bits into `out` by which a `MemoryStore` with this `hashKey` knows the session of `name`.
   * Returns false for a text that is no name.
   */
  hashOf(name: string, out: Uint32Array): boolean
}

const NAME = /^[\w-]{22}$/
const BLOCK_BYTES = 16
const CIPHER_KEY_BYTES = 32
const CIPHER = 'aes-256-ecb'

/**
 * One set of names for each secret, in their order.
 *
 * A name is the encryption of one block: 128 bits of SipHash of the id. The hash alone would suffice to find the id
 * again. A name that can be decrypted also lets a store drop the entry of a name in its memory, which keeps
 * 64 bits of the same hash and no name. Each block is encrypted by itself, so ECB is a keyed permutation.
 */
export function pseudonyms(
  pool: Pool,
  secrets: readonly Uint8Array[],
  purpose: string,
): readonly Pseudonyms[] {
  const tagKeys = deriveKeys(secrets, `${purpose}/backends`)
  return tagKeys.map((key, index) =>
    namesUnder(secrets[index] ?? new Uint8Array(), `${purpose}/sessions`, backendTags(pool, key)),
  )
}

function namesUnder(secret: Uint8Array, purpose: string, tags: BackendTags): Pseudonyms {
  const derived = new Uint8Array(
    hkdfSync('sha256', secret, '', purpose, 2 * HASH_KEY_BYTES + CIPHER_KEY_BYTES),
  )
  const hashKey = derived.subarray(0, HASH_KEY_BYTES)
  const low = keyedHash(hashKey)
  const high = keyedHash(derived.subarray(HASH_KEY_BYTES, 2 * HASH_KEY_BYTES))
  const cipherKey = derived.subarray(2 * HASH_KEY_BYTES)
  // Without padding a block comes out as soon as it is in, so one cipher does for all names.
  const encrypt = createCipheriv(CIPHER, cipherKey, null).setAutoPadding(false)
  const decrypt = createDecipheriv(CIPHER, cipherKey, null).setAutoPadding(false)
  const block = new Uint32Array(BLOCK_BYTES / 4)
  const bytes = new Uint8Array(block.buffer)
  const [lower, upper] = [block.subarray(0, 2), block.subarray(2)]
  return {
    tags,
    hashKey,
    nameOf(sessionId) {
      low(sessionId, lower)
      high(sessionId, upper)
      return encrypt.update(bytes).toString('base64url')
    },
    hashOf(name, out) {
      if (!NAME.test(name)) return false
      const plain = decrypt.update(Buffer.from(name, 'base64url'))
      out[0] = plain.readUInt32LE(0)
      out[1] = plain.readUInt32LE(4)
      return true
    },
  }
}
