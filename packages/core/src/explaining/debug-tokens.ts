import { deriveKeys } from '../signing/signing-key.ts'
import type { Duration } from '../options/duration.ts'
import { shortLivedTokens } from '../signing/short-lived-token.ts'

/** Options of a debug token. */
export interface DebugTokenOptions {
  /** How long the token is accepted, from a second to a day. @default '5m' */
  readonly ttl?: Duration
}

/** The tokens by which a request asks for its decision: those of one pool. */
export interface DebugTokens {
  /** @throws OptionError for a time that is too short or too long */
  make(options?: DebugTokenOptions): string
  accepts(value: string): boolean
}

/**
 * The keys are derived from the secrets for this purpose and pool alone (HKDF), so no cookie and no token of another
 * pool is accepted.
 * @param pool the name of the pool
 * @param secrets newest first: the first signs, all are accepted
 * @param now milliseconds since the epoch
 */
export function debugTokens(
  pool: string,
  secrets: readonly Uint8Array[],
  now: () => number = Date.now,
): DebugTokens {
  const tokens = shortLivedTokens(deriveKeys(secrets, `limpet/debug/v1/${pool}`), now)
  return {
    make: ({ ttl = '5m' } = {}) => tokens.make('', ttl),
    accepts: value => tokens.read(value) !== undefined,
  }
}
