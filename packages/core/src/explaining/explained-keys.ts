import type { RequestHead } from '../head.ts'
import type { AffinityPolicy, Claims, ExplainedKey } from '../policies/policy.ts'

/** The keys of one policy. */
export interface ReadKeys {
  readonly policy: string
  readonly keys: readonly ExplainedKey[]
}

/**
 * Lets each policy read its keys and explain them, in their order; a promise only when one of them queries a store. A
 * policy that fails has read nothing, and the note tells so.
 */
export function explainKeys(
  policies: readonly AffinityPolicy[],
  request: RequestHead,
): readonly ReadKeys[] | Promise<readonly ReadKeys[]> {
  const read = policies.map(policy => explainKey(policy, request))
  return read.some(keys => keys instanceof Promise)
    ? Promise.all(read.map(async keys => keys))
    : (read as readonly ReadKeys[])
}

function explainKey(policy: AffinityPolicy, request: RequestHead): ReadKeys | Promise<ReadKeys> {
  const name = policy.name ?? 'custom'
  const failed = (): ReadKeys => ({
    policy: name,
    keys: [{ claim: { kind: 'none' }, note: 'the policy has failed, so it counts as without a key' }],
  })
  try {
    const keys = policy.explain?.(request) ?? readKeys(policy, request)
    return keys instanceof Promise
      ? keys.then(all => ({ policy: name, keys: all }), failed)
      : { policy: name, keys }
  } catch {
    return failed()
  }
}

/** Of a policy that does not explain itself. */
function readKeys(
  policy: AffinityPolicy,
  request: RequestHead,
): readonly ExplainedKey[] | Promise<readonly ExplainedKey[]> {
  const read = policy.read(request)
  return read instanceof Promise ? read.then(keysOf) : keysOf(read)
}

function keysOf(claims: Claims): readonly ExplainedKey[] {
  const list = [claims].flat() as readonly ExplainedKey['claim'][]
  return (list.length === 0 ? [{ kind: 'none' } as const] : list).map(claim => ({ claim }))
}

/** The claims of each policy, as `decide()` takes them. */
export function claimsOf(read: readonly ReadKeys[]): readonly Claims[] {
  return read.map(({ keys }) => keys.map(({ claim }) => claim))
}
