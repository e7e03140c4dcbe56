import type { RequestHead } from '../../head.ts'
import { originForm } from '../../http/refusal.ts'
import type { AffinityPolicy, Claim, ExplainedKey, PolicyContext, ResponseContext } from '../policy.ts'
import { masked } from '../masked.ts'
import { SessionTally } from '../session-tally.ts'
import { backendTokens } from '../backend-tokens.ts'
import { keepPrivate } from '../../http/cache-control.ts'
import { cookieValues as valuesNamed, withoutCookie } from '../../http/cookie-header.ts'
import type { CookieOptions } from './cookie-options.ts'
import { isInCookiePath } from '../../http/cookie-path.ts'
import { cookieValues, isShaped, type VerifiedContent } from './cookie-value.ts'
import { foreignValues } from './foreign-values.ts'
import { type Lifetime, setCookieLine, setCookieLines, setCookieName } from './set-cookie.ts'
import { deriveKeys, type HmacBudget, HMACS_PER_REQUEST } from '../../signing/signing-key.ts'

/** Clocks of gateways differ, and dates are signed: only a date further ahead than this is a mistake. (As HAProxy) */
const SKEW_S = 86_400
const NONE: Claim = { kind: 'none' }
const INVALID: Claim = { kind: 'invalid' }
const EXPIRED: Claim = { kind: 'expired' }
const UNKNOWN: Claim = { kind: 'unknown' }

/**
 * A signed cookie of ours names the backend (HAProxy `cookie insert`, nginx `sticky cookie`).
 * Good for: browsers, and any number of gateways with the same secrets; nothing is stored here.
 * The price: clients without a cookie jar are balanced anew each time.
 */
export function cookiePolicy(options: CookieOptions, context: PolicyContext): AffinityPolicy {
  const { pool, secrets, now } = context
  const scope = `${pool.name}/${options.name}`
  const values = cookieValues(deriveKeys(secrets, `limpet/cookie/v1/${scope}`))
  const tokens = backendTokens(pool, deriveKeys(secrets, `limpet/tag/v1/${scope}`), options.opaque)
  const idOfForeign = foreignValues(pool, options.accept)
  const setCookie = setCookieLine(options)
  const maxIdleS = options.maxIdleMs / 1000
  const maxLifeS = options.maxLifeMs / 1000
  const startS = Math.floor(now() / 1000)

  const { maxIdleMs, maxLifeMs } = options
  const lifeMs = Math.min(maxIdleMs || Infinity, maxLifeMs || Infinity)
  const tally = lifeMs === Infinity ? undefined : new SessionTally(lifeMs, now)

  function endMs(issuedMs = -Infinity, seenMs = -Infinity): number {
    return Math.min(
      maxIdleMs > 0 ? seenMs + maxIdleMs : Infinity,
      maxLifeMs > 0 ? issuedMs + maxLifeMs : Infinity,
    )
  }

  function claimOf(value: string, budget?: HmacBudget): Claim {
    const content = values.read(value, budget)
    if (content === undefined) {
      const id = idOfForeign(value)
      return id === undefined ? INVALID : { kind: 'backend', id, renew: true, sessionId: value }
    }
    const nowS = Math.floor(now() / 1000)
    const { issuedS, seenS } = content
    if ((issuedS ?? 0) > nowS + SKEW_S || (seenS ?? 0) > nowS + SKEW_S) return INVALID
    // A value without a date is from before the option, so it is as old as this policy, at least.
    if (maxLifeS > 0 && nowS - (issuedS ?? startS) >= maxLifeS) return EXPIRED
    if (maxIdleS > 0 && nowS - (seenS ?? startS) >= maxIdleS) return EXPIRED
    const id = tokens.idOf(content.token, content.keyIndex)
    if (id === undefined) return UNKNOWN
    return {
      kind: 'backend',
      id,
      renew: isDue(content, id, nowS),
      sessionId: value,
      issuedMs: issuedS === undefined ? undefined : issuedS * 1000,
      seenMs: seenS === undefined ? undefined : seenS * 1000,
    }
  }

  /** Whether a good value should be replaced: another secret or format than a new one would have, or a tenth of the idle time gone. */
  function isDue(content: VerifiedContent, id: string, nowS: number): boolean {
    const { keyIndex, token, issuedS, seenS } = content
    if (keyIndex > 0 || (token === id) === options.opaque) return true
    if ((issuedS !== undefined) !== (maxIdleS > 0 || maxLifeS > 0) || (seenS !== undefined) !== maxIdleS > 0)
      return true
    return seenS !== undefined && nowS - seenS >= maxIdleS / 10
  }

  function newLine(exchange: ResponseContext): string {
    const nowMs = now()
    const nowS = Math.floor(nowMs / 1000)
    const { claim, matched, backend } = exchange
    const known = matched && claim.kind === 'backend' ? claim.issuedMs : undefined
    const issuedS = known === undefined ? nowS : known / 1000
    const value = values.write({
      token: tokens.tokenOf(backend.id),
      issuedS: maxIdleS > 0 || maxLifeS > 0 ? issuedS : undefined,
      seenS: maxIdleS > 0 ? nowS : undefined,
    })
    if (claim.kind === 'backend') tally?.ended(claim.id, endMs(claim.issuedMs, claim.seenMs))
    // Whole seconds, as in the cookie: it is counted by this time when it comes back.
    tally?.began(backend.id, endMs(issuedS * 1000, nowS * 1000))
    const secure = options.secure === 'auto' ? exchange.isSecure : options.secure
    return setCookie(
      value,
      secure,
      options.persistent ? lifetime(nowMs, Math.max(0, nowS - issuedS)) : undefined,
    )
  }

  function lifetime(nowMs: number, ageS: number): Lifetime {
    const left = maxLifeS > 0 ? maxLifeS - ageS : Infinity
    return { nowMs, maxAgeS: Math.max(0, Math.floor(Math.min(left, maxIdleS > 0 ? maxIdleS : Infinity))) }
  }

  function isInPath({ url }: RequestHead): boolean {
    return isInCookiePath(originForm(url), options.path)
  }

  function explained(value: string, budget: HmacBudget): ExplainedKey {
    const claim = claimOf(value, budget)
    const content = values.read(value, budget)
    const isForeign = content === undefined && claim.kind === 'backend'
    return {
      claim,
      field,
      format: content !== undefined ? 'signed' : isForeign ? 'of another load balancer' : 'unknown',
      value: masked(value),
      note: noteOf(claim, content, value),
    }
  }

  function noteOf(claim: Claim, content: VerifiedContent | undefined, value: string): string {
    if (content === undefined) {
      if (claim.kind === 'backend') return 'it is replaced by a signed value'
      return isShaped(value)
        ? 'none of the secrets of this pool has signed it'
        : 'it is no value of limpet, and in no format of accept'
    }
    const ageS = Math.floor(now() / 1000) - (content.issuedS ?? startS)
    switch (claim.kind) {
      case 'invalid':
        return 'its date is in the future'
      case 'expired':
        return maxLifeS > 0 && ageS >= maxLifeS ? 'its maxLife is over' : 'its maxIdle is over'
      case 'unknown':
        return 'the backend that it names is not in the pool'
      case 'none':
      case 'backend':
        if (content.keyIndex > 0) return 'an older secret has signed it, so it is renewed'
        return claim.kind === 'backend' && claim.renew === true ? 'it is due for renewal' : 'it is good'
    }
  }

  const field = `cookie ${options.name}`

  return {
    name: 'cookie',
    explain(request) {
      const header = request.headers['cookie']
      if (!isInPath(request)) return [{ claim: NONE, field, note: `the path is not below ${options.path}` }]
      const found = typeof header === 'string' ? [...new Set(valuesNamed(header, options.name))] : []
      if (found.length === 0) return [{ claim: NONE, field, note: 'the request has no such cookie' }]
      const budget = { left: 2 * HMACS_PER_REQUEST }
      return found.map(value => explained(value, budget))
    },
    sessions: id => tally?.count(id),
    sessionsSeen: id => tally?.seen(id),
    read(request: RequestHead) {
      const header = request.headers['cookie']
      if (typeof header !== 'string' || !isInPath(request)) return NONE
      const found = valuesNamed(header, options.name)
      const [only] = found
      if (only === undefined) return NONE
      if (found.length === 1) return claimOf(only)
      // All of them: other sites of a domain can set cookies of this name, and the good one may be the last.
      const budget = { left: HMACS_PER_REQUEST }
      return [...new Set(found)].map(value => claimOf(value, budget))
    },
    forwardHeaders: {
      // Outside the path a cookie of this name belongs to another application.
      cookie: (line, request) =>
        options.strip && isInPath(request) ? withoutCookie(line, options.name) : line,
    },
    /** The application must not set a cookie of this name, unless it is told that it may. */
    responded({ request }, fields) {
      if (options.preserve || fields['set-cookie'] === undefined || !isInPath(request)) return
      const lines = setCookieLines(fields)
      const others = lines.filter(line => setCookieName(line) !== options.name)
      if (others.length === lines.length) return
      if (others.length > 0) fields['set-cookie'] = others
      else delete fields['set-cookie']
    },
    write(exchange, fields) {
      const { request } = exchange
      if (!isInPath(request)) return false
      if (options.onlyMethods.size > 0 && !options.onlyMethods.has(request.method)) return false
      const lines = setCookieLines(fields)
      if (options.preserve && lines.some(line => setCookieName(line) === options.name)) return false
      fields['set-cookie'] = [...lines, newLine(exchange)]
      if (options.noCache) keepPrivate(exchange, fields)
      return undefined
    },
  }
}
