import type { RequestHead } from '../head.ts'
import { cookieValues } from '../http/cookie-header.ts'
import { PIN_FIELD } from '../http/own-fields.ts'
import { hasRoom } from '../pool/backend-view.ts'
import type { Decision, DecisionContext } from './decision.ts'
import { place } from './placement.ts'

/** Whether a request may have a pin, in the field or in the cookie. */
export function hasPin({ headers }: RequestHead): boolean {
  if (headers[PIN_FIELD] !== undefined) return true
  const { cookie } = headers
  return typeof cookie === 'string' && cookie.includes(PIN_FIELD)
}

/** The values that may be pins, in the order of preference: the field comes before the cookie. */
export function pinValues({ headers }: RequestHead): readonly string[] {
  const { cookie } = headers
  const field = headers[PIN_FIELD]
  return [
    ...(typeof field === 'string' ? [field] : []),
    ...(typeof cookie === 'string' ? cookieValues(cookie, PIN_FIELD) : []).slice(0, MAX_COOKIES),
  ]
}

/** Each may cost an HMAC for each secret. */
const MAX_COOKIES = 4

/**
 * The decision about a pinned request. The backend gets it while it drains, and in maintenance, where its health is not
 * checked. A backend that is down or full does not: then the balancer places the request. No key is read or written, so
 * the session of the client stays as it is.
 * @param id of a member
 * @returns undefined when no backend may take the request
 */
export function decidePinned(
  context: DecisionContext,
  request: RequestHead,
  id: string,
): Decision | undefined {
  const named = context.pool.find(id)
  const isAble = named !== undefined && (named.state === 'maint' || named.healthy) && hasRoom(named)
  const view = isAble ? named : place(context, request)
  return view && { view, status: 'none', claims: [], read: [], isPinned: true }
}
