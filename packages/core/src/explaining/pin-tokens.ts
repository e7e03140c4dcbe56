import { backendTokens } from '../policies/backend-tokens.ts'
import type { Duration } from '../options/duration.ts'
import { OptionError } from '../options/option.ts'
import type { LivePool } from '../pool/live-pool.ts'
import { shortLivedTokens } from '../signing/short-lived-token.ts'
import { deriveKeys, opaqueTag } from '../signing/signing-key.ts'

/** Options of a pin. */
export interface PinTokenOptions {
  /** The id of the backend. */
  readonly backend: string
  /** How long the pin is accepted, from a second to a day. @default '10m' */
  readonly ttl?: Duration
}

const DEFAULT_TTL = '10m'

/**
 * Makes a pin: a token that names a backend by a keyed tag, and reveals neither its id nor its address. The keys are
 * derived from the secrets for this purpose and pool alone.
 * @param secrets newest first: the first signs
 * @throws OptionError for a backend that is no id, and for a time that is too short or too long
 */
export function pinToken(
  pool: string,
  secrets: readonly Uint8Array[],
  { backend, ttl = DEFAULT_TTL }: PinTokenOptions,
  now: () => number = Date.now,
): string {
  if (typeof backend !== 'string' || backend === '')
    throw new OptionError('backend', backend, 'the id of a backend')
  const [tagKey] = tagKeys(pool, secrets)
  const tag = tagKey === undefined ? '' : opaqueTag(backend, tagKey)
  return shortLivedTokens(keysOf(pool, secrets), now).make(tag, ttl)
}

/**
 * Reads the pins of a pool.
 * @returns a function that returns the id of a member; undefined for a value that is no pin of this pool, has expired, or
 *   names a backend that has left
 */
export function pinReader(
  pool: LivePool,
  secrets: readonly Uint8Array[],
  now: () => number,
): (value: string) => string | undefined {
  const signed = shortLivedTokens(keysOf(pool.name, secrets), now)
  const tags = backendTokens(pool, tagKeys(pool.name, secrets), true)
  return value => {
    const pin = signed.read(value)
    const id = pin && tags.idOf(pin.text, pin.keyIndex)
    return id === undefined || pool.find(id) === undefined ? undefined : id
  }
}

function keysOf(pool: string, secrets: readonly Uint8Array[]): ReturnType<typeof deriveKeys> {
  return deriveKeys(secrets, `limpet/pin/v1/${pool}`)
}

function tagKeys(pool: string, secrets: readonly Uint8Array[]): ReturnType<typeof deriveKeys> {
  return deriveKeys(secrets, `limpet/pin-tag/v1/${pool}`)
}
