/*
 * The entry `@limpet/core/signing`: signatures, derived keys and tags of backends, for policies of the user's that sign
 * and rotate as limpet's do.
 */
export { type SignedBackends, signedBackends } from './policies/signed-backends.ts'
export { HOW_TO_MAKE_ONE, MAKE_SECRET, parseSecrets, type Secret } from './signing/secrets.ts'
export { createSigner, type Signer } from './signing/signer.ts'
export type { Verified } from './signing/signing-key.ts'
export { isFailedReference } from './signing/failed-reference.ts'
