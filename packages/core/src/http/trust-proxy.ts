import { type OptionKind, parsed } from '../options/option-kind.ts'
import { compileTrustProxy, type TrustProxy } from './client.ts'

/** Trusted proxies as an option. */
export const TRUST_PROXY: OptionKind<readonly string[], TrustProxy, false> = parsed(
  'a list of addresses and CIDR ranges',
  compileTrustProxy,
  { type: 'array', items: { type: 'string', minLength: 1 }, default: [] },
)
