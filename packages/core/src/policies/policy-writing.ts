import type { Backend } from '../pool/backend.ts'
import type { HeaderFields, RequestHead, ResponseHead } from '../head.ts'
import type { Pool } from '../pool/pool.ts'
import type { AffinityPolicy, Claim, SessionReport } from './policy.ts'
import { publishPolicyFailed } from './policy-reading.ts'

/** A response on its way to the client. */
export interface Responded {
  readonly request: RequestHead
  readonly response: ResponseHead
  readonly backend: Backend
  readonly isSecure: boolean
  /** No session begins at a backend whose response is a failure. */
  readonly isFailure: boolean
  /** For each policy, the claim that decided or the first that it read. */
  readonly claims: readonly Claim[]
}

/** Makes the report of a response's session when it is first asked for: most responses have no news of it. */
export interface ReportedSession {
  readonly session: SessionReport
}

/**
 * Lets each policy see the response, and write its key where the key is news: another backend than the claim names
 * has responded, or the claim is to be renewed. This is decided here alone, for every policy, and so is whether a
 * written key begins a session or moves one.
 */
export function writeKeys(
  pool: Pool,
  policies: readonly AffinityPolicy[],
  responded: Responded,
  reported: ReportedSession,
  fields: HeaderFields,
): void {
  const { request, response, backend, isSecure, isFailure, claims } = responded
  for (let index = 0; index < policies.length; index += 1) {
    const policy = policies[index]
    const claim = claims[index]
    if (claim === undefined || policy === undefined) continue
    const matched = claim.kind === 'backend' && claim.id === backend.id
    if (isFailure && !matched) continue
    const isNews = !matched || claim.renew === true
    if (policy.responded === undefined && !(isNews && policy.write !== undefined)) continue
    const { session } = reported
    const exchange = { request, response, backend, claim, matched, isSecure, session }
    try {
      notePromise(pool, policy, request, policy.responded?.(exchange, fields))
      if (!isNews || policy.write === undefined) continue
      const written = policy.write(exchange, fields)
      if (!matched && written !== false) report(claim, session)
      notePromise(pool, policy, request, written)
    } catch (error) {
      publishPolicyFailed(pool, policy, error, request)
    }
  }
}

/** A key was written in place of `claim`. */
function report(claim: Claim, session: SessionReport): void {
  if (claim.kind === 'backend') session.moved(claim.id)
  // A key that was good once, of a backend that is no member any more.
  else if (claim.kind === 'unknown') session.moved(undefined)
  else session.started()
}

/** The fields are sent without waiting for a policy. */
function notePromise(
  pool: Pool,
  policy: AffinityPolicy,
  request: RequestHead,
  pending: void | false | Promise<void>,
): void {
  if (pending instanceof Promise)
    pending.catch((error: unknown) => publishPolicyFailed(pool, policy, error, request))
}
