import { deriveKeys } from '../../signing/signing-key.ts'
import type { RequestHead } from '../../head.ts'
import type { AffinityPolicy, Claim, ExplainedKey, PolicyContext, ResponseContext } from '../policy.ts'
import { publishPolicyFailed } from '../policy-reading.ts'
import { masked } from '../masked.ts'
import { keyedStore } from '../store/keyed-store.ts'
import { MemoryStore } from '../store/memory-store.ts'
import { pseudonyms } from '../store/pseudonyms.ts'
import type { OpenStore } from '../store/store.ts'
import { isShared, type LearnOptions } from './learn-options.ts'
import { newsInCookie, newsInHeader } from './learned-id.ts'

/** Each may cost a question to a store elsewhere. */
const MAX_IDS_ASKED = 16
/** In the memory of this process each takes a microsecond. */
const MAX_IDS_LOOKED_UP = 256
/** A longer text is no session id. */
const MAX_ID = 1024
const NONE: Claim = { kind: 'none' }
const UNKNOWN: Claim = { kind: 'unknown' }

/** A claim by a session that is known, with its id, so that it can be renewed. */
type LearnedClaim = Claim & { readonly sessionId?: string }

/**
 * A session id that the application gives out is remembered with the backend that gave it (nginx `sticky learn`,
 * HAProxy `stick store-response`).
 * Good for: applications whose ids must stay as they are, and clients that have no cookie jar but an id.
 * The price: it is remembered in one process, or in a store that all gateways have to ask.
 *
 * Learns from responses alone: an id that a client invents takes no memory.
 */
export function learnPolicy(options: LearnOptions, context: PolicyContext): AffinityPolicy {
  const { kind, lookups, ttlMs } = options
  const { now } = context
  const store = storeOf(options, context)
  const maxIds = store instanceof MemoryStore ? MAX_IDS_LOOKED_UP : MAX_IDS_ASKED
  const only = lookups.length === 1 ? lookups[0] : undefined
  const name = kind === 'header' ? options.name.toLowerCase() : options.name

  function claimOf(
    sessionId: string,
    request: RequestHead,
    isLook = false,
  ): LearnedClaim | Promise<LearnedClaim> {
    try {
      const id = isLook && store.peek !== undefined ? store.peek(sessionId) : store.get(sessionId)
      return id instanceof Promise
        ? id.then(
            known => newClaim(sessionId, known),
            (error: unknown) => unknownFor(error, request),
          )
        : newClaim(sessionId, id)
    } catch (error) {
      return unknownFor(error, request)
    }
  }

  /** A look-up that fails costs this session its backend, and the request's other ones nothing. */
  function unknownFor(error: unknown, request: RequestHead): LearnedClaim {
    publishPolicyFailed(context.pool, policy, error, request)
    return UNKNOWN
  }

  /** @param goesOn the session is where it was when the request was read: the response must not undo a later move */
  function remember(sessionId: string, backendId: string, goesOn: boolean): unknown {
    if (goesOn && store.renew !== undefined) return store.renew(sessionId, backendId, ttlMs)
    return store.set(sessionId, backendId, ttlMs)
  }

  function presentedIds(request: RequestHead): readonly string[] {
    const ids = only === undefined ? lookups.flatMap(read => read(request)) : only(request)
    return ids.length < 2 ? ids : [...new Set(ids)].slice(0, maxIds)
  }

  const policy: AffinityPolicy = {
    name: 'learn',
    sessions: id => store.count?.(id),
    read(request) {
      const claims: (LearnedClaim | Promise<LearnedClaim>)[] = []
      let isPending = false
      for (const id of presentedIds(request)) {
        if (id.length > MAX_ID) continue
        const claim = claimOf(id, request)
        if (claim instanceof Promise) isPending = true
        claims.push(claim)
      }
      return isPending
        ? Promise.all(claims.map(async claim => claim)).then(knownFirst)
        : knownFirst(claims as LearnedClaim[])
    },
    explain(request) {
      const ids = presentedIds(request)
      const field = `${kind} ${options.name}`
      if (ids.length === 0) return [{ claim: NONE, field, note: 'the request has no session id' }]
      const keys = ids.map(async (id): Promise<ExplainedKey> => {
        const claim = id.length > MAX_ID ? UNKNOWN : await claimOf(id, request, true)
        const note =
          claim.kind === 'backend'
            ? 'a response of this backend has begun the session'
            : 'no response has begun this session, its ttl is over, or the store could not be asked'
        return { claim, field, format: 'session id', value: masked(id), note }
      })
      return Promise.all(keys)
    },
    responded({ request, response, backend, claim, matched, session }: ResponseContext) {
      const { id, hasEnded } =
        kind === 'header' ? newsInHeader(response, name) : newsInCookie(response, name, now())
      const ended = hasEnded ? presentedIds(request).filter(one => one !== id) : []
      const known = (claim as LearnedClaim).sessionId
      // A session whose application responds with another id expires.
      const learned = id ?? (hasEnded ? undefined : known)
      if (claim.kind === 'backend' && !matched && learned === known) session?.moved(claim.id)
      else if (id !== undefined && id !== known) session?.started()
      return settled([
        ...ended.map(one => store.delete(one)),
        learned !== undefined && learned.length <= MAX_ID
          ? remember(learned, backend.id, matched && learned === known)
          : undefined,
      ])
    },
  }
  return policy
}

function newClaim(sessionId: string, id: string | null | undefined): LearnedClaim {
  return typeof id === 'string' ? { kind: 'backend', id, sessionId } : UNKNOWN
}

/** When none is usable, `responded` gets the first, so that it moves a known session. */
function knownFirst(claims: readonly LearnedClaim[]): readonly LearnedClaim[] {
  if (claims.length < 2) return claims
  return claims.toSorted((a, b) => Number(b.kind === 'backend') - Number(a.kind === 'backend'))
}

/** When all is done, where something takes its time. */
function settled(results: readonly unknown[]): Promise<void> | undefined {
  const pending = results.filter(result => result instanceof Promise)
  return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined)
}

function storeOf(options: LearnOptions, context: PolicyContext): OpenStore {
  const { kind, name, maxEntries, store, timeoutMs, ttlMs } = options
  const { pool, steadyNow: now } = context
  if (store === undefined) return new MemoryStore({ maxEntries, now })
  // It hashes for itself, and answers at once.
  if (store instanceof MemoryStore) return store
  const field = `${kind}/${name}`
  const purpose = `limpet/learn/v1/${pool.name}/${field}`
  if (isShared(store)) {
    const names = pseudonyms(pool, context.secrets, purpose)
    return store.open({ pool: pool.name, field, names, ttlMs, now })
  }
  const keys = deriveKeys(context.secrets, purpose)
  return keyedStore(store, { keys, timeoutMs, now })
}
