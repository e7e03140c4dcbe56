import type { HeaderFields, RequestHead } from '../../head.ts'
import type { Claim } from '../policy.ts'
import { LivePool } from '../../pool/live-pool.ts'
import { type CookiePolicyOptions, parseCookieOptions } from './cookie-options.ts'
import { writeKeys } from '../policy-writing.ts'
import { cookiePolicy } from './cookie-policy.ts'

export const MINUTE = 60_000

export const HOUR = 60 * MINUTE

export const START = Date.UTC(2030, 0, 1)

export const NEW = Buffer.from('the newest secret of 32 bytes or more')

export const OLD = Buffer.from('an older secret, also 32 bytes or more')

function request(cookie?: string, facts: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: cookie === undefined ? [] : ['Cookie', cookie],
    headers: cookie === undefined ? {} : { cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
    ...facts,
  }
}

export interface SetUp extends CookiePolicyOptions {
  readonly pool?: LivePool
  readonly secrets?: readonly Uint8Array[]
  readonly clock?: { ms: number }
}

export function poolOf(ids: readonly string[], name = 'web'): LivePool {
  return new LivePool(
    name,
    ids.map(id => ({ id, url: `http://${id}.test:80` })),
  )
}

export interface Visit extends Partial<RequestHead> {
  readonly answer?: HeaderFields
  readonly statusCode?: number
  readonly isSecure?: boolean
  /** The backend that responds, whatever was claimed. */
  readonly by?: string
}

/** One policy, and a browser's view of it. */
export function setUp({
  pool = poolOf(['a', 'b', 'c']),
  secrets = [NEW],
  clock = { ms: START },
  ...options
}: SetUp = {}) {
  const parsed = parseCookieOptions('cookie', options)
  const now = (): number => clock.ms
  const policy = cookiePolicy(parsed, { pool, secrets, now, steadyNow: now })

  function read(cookie: string | undefined, facts: Partial<RequestHead> = {}): readonly Claim[] {
    const claims = policy.read(request(cookie, facts))
    if (claims instanceof Promise) throw new Error('needs no promise')
    return [claims].flat()
  }

  /** The fields of the response to a request with `cookie`, from `by`, or else the claimed backend, or else `a`. */
  function answer(cookie: string | undefined, visit: Visit = {}): HeaderFields {
    const { answer: headers = {}, statusCode = 200, isSecure = false, by, ...facts } = visit
    const claims = read(cookie, facts)
    const claim = claims.find(one => one.kind === 'backend') ?? claims[0] ?? { kind: 'none' }
    const id = by ?? (claim.kind === 'backend' ? claim.id : 'a')
    const backend = { id, url: new URL(`http://${id}.test:80`) }
    const fields = { ...headers }
    const response = { statusCode, headers }
    const session = { started: () => {}, moved: () => {} }
    const responded = {
      request: request(cookie, facts),
      response,
      backend,
      isSecure,
      isFailure: false,
      claims: [claim],
    }
    writeKeys(pool, [policy], responded, { session }, fields)
    return fields
  }

  function lines(cookie: string | undefined, visit: Visit = {}): string[] {
    return [answer(cookie, visit)['set-cookie'] ?? []].flat()
  }

  /** The cookie that a browser would send next, `name=value`; undefined when it got none. */
  function told(cookie: string | undefined, visit: Visit = {}): string | undefined {
    return lines(cookie, visit)
      .find(line => line.startsWith(`${parsed.name}=`))
      ?.split(';')[0]
  }

  return {
    pool,
    clock,
    read,
    answer,
    lines,
    told,
    /** A good cookie for `id`. */
    cookieFor: (id: string): string => told(undefined, { by: id }) ?? '',
    forward: (line: string, facts: Partial<RequestHead> = {}): string =>
      policy.forwardHeaders?.['cookie']?.(line, request(line, facts)) ?? 'no such method',
    ids: (cookie: string): string[] =>
      read(cookie).flatMap(claim => (claim.kind === 'backend' ? [claim.id] : [])),
    kinds: (cookie: string | undefined, facts: Partial<RequestHead> = {}): string[] =>
      read(cookie, facts).map(claim => claim.kind),
  }
}
