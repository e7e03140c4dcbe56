import * as diagnostics from '../diagnostics.ts'
import type { RequestHead } from '../head.ts'
import type { AffinityPolicy, Claim, Claims } from './policy.ts'
import type { Pool } from '../pool/pool.ts'

const NONE: Claim = { kind: 'none' }

/**
 * The claims of each policy for `request`, in their order; a promise only when one of them queries a remote store.
 * A policy that fails has read nothing: a store that is down costs sessions their backend, not their response.
 */
export function readPolicies(
  pool: Pool,
  policies: readonly AffinityPolicy[],
  request: RequestHead,
): readonly Claims[] | Promise<readonly Claims[]> {
  // An array of this length: one that grows has room for 17, and lives as long as the request.
  const read = policies.map(policy => readPolicy(pool, policy, request))
  return read.some(isPending) ? Promise.all(read.map(async claims => claims)) : (read as Claims[])
}

function isPending(claims: Claims | Promise<Claims>): claims is Promise<Claims> {
  return claims instanceof Promise
}

function readPolicy(pool: Pool, policy: AffinityPolicy, request: RequestHead): Claims | Promise<Claims> {
  try {
    const claims = policy.read(request)
    return claims instanceof Promise
      ? claims.catch((error: unknown) => failed(pool, policy, error, request))
      : claims
  } catch (error) {
    return failed(pool, policy, error, request)
  }
}

function failed(pool: Pool, policy: AffinityPolicy, error: unknown, request: RequestHead): Claim {
  publishPolicyFailed(pool, policy, error, request)
  return NONE
}

export function publishPolicyFailed(
  pool: Pool,
  policy: AffinityPolicy,
  error: unknown,
  request: RequestHead,
): void {
  if (diagnostics.policyFailed.hasSubscribers) {
    diagnostics.policyFailed.publish(
      diagnostics.eventOf(request.message, { pool: pool.name, policy: policy.name ?? 'custom', error }),
    )
  }
}
