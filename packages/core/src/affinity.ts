import { type AffinityOptions, parseAffinityOptions } from './affinity-options.ts'
import { clientOf } from './client.ts'
import type { WrittenCookie } from './cookie/cookie-path.ts'
import { decide } from './decision.ts'
import * as diagnostics from './diagnostics.ts'
import { type AffinityError, NoBackendError } from './errors.ts'
import type { RequestHead } from './head.ts'
import { HeldLease, type Lease } from './lease.ts'
import { refusal } from './message/refusal.ts'
import type { Claims } from './policy.ts'
import { readPolicies } from './policy-reading.ts'
import type { Pool } from './pool.ts'

/** Keeps each session on its backend. What an adapter sees of all this. */
export interface Affinity {
  readonly pool: Pool
  /** The cookies it writes: no other pool of the same host may write them. */
  readonly cookies: readonly WrittenCookie[]
  /**
   * Chooses the backend of `request`; the lease is to be released when the client's side closes.
   * A promise only when a policy has to ask a remote store.
   * @throws RefusedRequestError (4xx, 5xx) for a message that must not be forwarded
   * @throws NoBackendError (503) when nobody may take it
   */
  select(request: RequestHead): Lease | Promise<Lease>
}

/**
 * Builds the affinity of one pool.
 * @throws OptionError naming the option, what it got and what it takes.
 */
export function createAffinity(options: AffinityOptions): Affinity {
  const context = parseAffinityOptions(options)
  const { pool, policies, isIgnored } = context

  function lease(request: RequestHead, read: readonly Claims[]): Lease {
    const decision = decide(context, request, read)
    if (decision === undefined) throw published(pool, new NoBackendError())
    const held = new HeldLease(context, request, clientOf(request, context.trusts), decision)
    if (diagnostics.selected.hasSubscribers) {
      diagnostics.selected.publish({ pool: pool.name, backend: held.backend.id, status: held.status })
    }
    return held
  }

  return {
    pool,
    cookies: context.cookies,
    select(request) {
      const refused = refusal(request)
      if (refused !== undefined) throw published(pool, refused)
      const read = isIgnored(request) ? [] : readPolicies(pool, policies, request)
      return read instanceof Promise ? read.then(all => lease(request, all)) : lease(request, read)
    },
  }
}

function published<E extends AffinityError>(pool: Pool, error: E): E {
  if (diagnostics.refused.hasSubscribers) {
    diagnostics.refused.publish({ pool: pool.name, code: error.code, statusCode: error.statusCode })
  }
  return error
}
