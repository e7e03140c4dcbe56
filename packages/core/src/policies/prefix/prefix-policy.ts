import { backendTokens } from '../backend-tokens.ts'
import { keepPrivate } from '../../http/cache-control.ts'
import { cookieValues, withCookieValues } from '../../http/cookie-header.ts'
import { setCookieLines, setCookieName, withSetCookieValue } from '../cookie/set-cookie.ts'
import { deriveKeys, type HmacBudget, HMACS_PER_REQUEST } from '../../signing/signing-key.ts'
import type { RequestHead } from '../../head.ts'
import { masked } from '../masked.ts'
import type { AffinityPolicy, Claim, PolicyContext } from '../policy.ts'
import { MAX_COOKIE, prefixMarks } from './prefix-mark.ts'
import type { PrefixOptions } from './prefix-options.ts'

const NONE: Claim = { kind: 'none' }
const UNKNOWN: Claim = { kind: 'unknown' }

const NOTES: Readonly<Record<Claim['kind'], string>> = {
  none: "the value has no valid mark, so it is the application's alone",
  invalid: 'the mark is invalid',
  expired: 'the mark is expired',
  unknown: 'the backend that the mark names is not in the pool',
  backend: 'the mark is good',
}

/**
 * The application's own cookie carries the backend in front of its value, and the application never sees it (HAProxy
 * `cookie … prefix`). Here the mark is signed and of our own shape, so a value that was never marked passes as it is,
 * whatever it looks like, and no client can choose a backend with one.
 * Good for: clients that may have no second cookie, and sessions that begin when the application says so.
 * The price: only the application can renew its cookie, so a session that moved has no mark until it does.
 */
export function prefixPolicy(options: PrefixOptions, context: PolicyContext): AffinityPolicy {
  const { pool, secrets } = context
  const { cookie: name } = options
  const marks = prefixMarks(deriveKeys(secrets, `limpet/prefix/v1/${pool.name}/${name}`))
  const tagKeys = deriveKeys(secrets, `limpet/prefix-tag/v1/${pool.name}/${name}`)
  const tokens = backendTokens(pool, tagKeys, options.opaque)

  /** The Cookie lines of a request come one after the other, and have one budget. */
  let forwarded: RequestHead | undefined
  let forwardBudget: HmacBudget = { left: 0 }

  function budgetOf(request: RequestHead): HmacBudget {
    if (forwarded !== request) {
      forwarded = request
      forwardBudget = { left: HMACS_PER_REQUEST }
    }
    return forwardBudget
  }

  function claimOf(value: string, budget: HmacBudget): Claim {
    const marked = marks.read(value, budget)
    if (marked === undefined) {
      const foreign = foreignMark(value)
      return foreign === undefined ? NONE : { kind: 'backend', id: foreign.id, sessionId: value }
    }
    const id = tokens.idOf(marked.token, marked.keyIndex)
    return id === undefined ? UNKNOWN : { kind: 'backend', id, sessionId: value }
  }

  /** HAProxy's mark: a word before the first `~`. Any other value is the application's. */
  function foreignMark(value: string): { readonly id: string; readonly own: string } | undefined {
    const end = options.accept.length === 0 ? -1 : value.indexOf('~')
    const view = end < 1 ? undefined : pool.named(value.slice(0, end))
    return view === undefined ? undefined : { id: view.backend.id, own: value.slice(end + 1) }
  }

  function ownOf(value: string, budget: HmacBudget): string | undefined {
    return marks.read(value, budget)?.own ?? foreignMark(value)?.own
  }

  function ownValue(value: string, budget: HmacBudget): string {
    const own = ownOf(value, budget)
    if (own !== undefined || !value.startsWith('"') || !value.endsWith('"')) return own ?? value
    // Some clients add quotes to a value that was set without them.
    const inner = ownOf(value.slice(1, -1), budget)
    return inner === undefined ? value : `"${inner}"`
  }

  function markedValue(token: string, own: string): string {
    const value = marks.write(token, own)
    // A browser rejects a longer cookie, and the application's session with it.
    return name.length + value.length > MAX_COOKIE ? own : value
  }

  const field = `cookie ${name}`

  return {
    name: 'prefix',
    explain({ headers: { cookie } }) {
      const found = typeof cookie === 'string' ? [...new Set(cookieValues(cookie, name))] : []
      if (found.length === 0) return [{ claim: NONE, field, note: 'the request has no such cookie' }]
      const budget = { left: 2 * HMACS_PER_REQUEST }
      return found.map(value => {
        const claim = claimOf(value, budget)
        const isMarked = marks.read(value, budget) !== undefined
        const format = isMarked ? 'signed mark' : claim.kind === 'backend' ? "HAProxy's mark" : 'no mark'
        return { claim, field, format, value: masked(value), note: NOTES[claim.kind] }
      })
    },
    read({ headers: { cookie } }) {
      if (typeof cookie !== 'string') return NONE
      const budget = { left: HMACS_PER_REQUEST }
      return [...new Set(cookieValues(cookie, name))].map(value => claimOf(value, budget))
    },
    forwardHeaders: {
      cookie(line, request) {
        const budget = budgetOf(request)
        return withCookieValues(line, name, value => ownValue(value, budget))
      },
    },
    responded(exchange, fields) {
      const lines = setCookieLines(fields)
      const token = tokens.tokenOf(exchange.backend.id)
      const marked = lines.map(line =>
        setCookieName(line) === name ? withSetCookieValue(line, own => markedValue(token, own)) : line,
      )
      if (marked.every((line, index) => line === lines[index])) return
      fields['set-cookie'] = marked
      const { claim, matched, session } = exchange
      if (claim.kind === 'none' || claim.kind === 'invalid' || claim.kind === 'expired') session?.started()
      else if (!matched) session?.moved(claim.kind === 'backend' ? claim.id : undefined)
      if (options.noCache) keepPrivate(exchange, fields)
    },
  }
}
