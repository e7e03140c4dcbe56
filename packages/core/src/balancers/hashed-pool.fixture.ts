import { parseBalancer } from './balancer-options.ts'
import type { Balancer } from './balancer.ts'
import { compileTrustProxy } from '../http/client.ts'
import { type HeaderFields, type RequestHead, requestHead } from '../head.ts'
import { LivePool } from '../pool/live-pool.ts'
import type { HashBalancerOptions } from './hash-options.ts'

export const SEED = 'a seed that is longer than thirty-two bytes'

export function poolOf(weights: readonly number[]): LivePool {
  return new LivePool(
    'p',
    weights.map((weight, n) => ({ id: `b${n}`, weight, url: `http://b${n}.test:80` })),
  )
}

export function hashOf(
  pool: LivePool,
  hash: HashBalancerOptions['hash'],
  more: Partial<HashBalancerOptions> = {},
  trustProxy: readonly string[] = [],
): Balancer {
  const trusts = compileTrustProxy('trustProxy', trustProxy)
  return parseBalancer({ seed: SEED, ...more, hash }, { pool, trusts, oldestSecret: () => undefined })
}

export function request(headers: HeaderFields = {}, url = '/', remoteAddress = '192.0.2.7'): RequestHead {
  const { host = 'a', ...rest } = headers
  return {
    ...requestHead({
      method: 'GET',
      httpVersion: '1.1',
      rawHeaders: [],
      headers: {},
      socket: { remoteAddress },
    }),
    url,
    headers: { host, ...rest },
  }
}

/** Where requests go. */
export function idsOf(
  balancer: Balancer,
  pool: LivePool,
  requests: readonly RequestHead[],
): (string | undefined)[] {
  return requests.map(one => balancer.pick(pool.candidates, one)?.backend.id)
}

/** One request of each of many sessions. */
export function sessions(count: number): RequestHead[] {
  return Array.from({ length: count }, (_, n) => request({ 'x-session': `session-${n}` }))
}

export const KEY = 'header:x-session'
