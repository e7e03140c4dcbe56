import { createSigner } from '../signing/signer.ts'
import { deriveKeys } from '../signing/signing-key.ts'
import { backendTokens } from './backend-tokens.ts'
import type { Claim, PolicyContext } from './policy.ts'

/** Signed names of a pool's backends, for the keys of a policy. */
export interface SignedBackends {
  /** A value that names the backend by a keyed tag: it reveals neither the id nor the address. */
  write(id: string): string
  /**
   * The claim of a value: `invalid` when none of the secrets has signed it, `unknown` when its backend has left the
   * pool, and otherwise the backend, to be renewed when an older secret has signed it.
   */
  read(value: string): Claim
}

/**
 * Makes signed names with the secrets of the pool. A name of another pool or purpose is invalid.
 * @param purpose of the policy, as `header-pin/v1`
 * @throws OptionError when the pool has no secrets, or a wrong one
 */
export function signedBackends({ pool, secrets }: PolicyContext, purpose: string): SignedBackends {
  const scope = `${pool.name}/${purpose}`
  const signer = createSigner(secrets, `backends/${scope}`)
  const tokens = backendTokens(pool, deriveKeys(secrets, `policy/backend-tags/${scope}`), true)
  return {
    write: id => signer.sign(tokens.tokenOf(id)),
    read(value) {
      const verified = signer.verify(value)
      if (verified === undefined) return { kind: 'invalid' }
      const { text, keyIndex } = verified
      const id = tokens.idOf(text, keyIndex)
      return id === undefined ? { kind: 'unknown' } : { kind: 'backend', id, renew: keyIndex > 0 }
    },
  }
}
