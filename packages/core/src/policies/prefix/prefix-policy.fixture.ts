import { type Affinity, createAffinity } from '../../affinity.ts'
import { type NodeRequest, requestHead } from '../../head.ts'
import type { Lease } from '../../lease.ts'
import type { PrefixPolicyOptions } from './prefix-options.ts'

export const SECRET = 'prefix-0123456789abcdefghijklmnopqrstuvwxyz'

export interface Facts {
  readonly ids?: readonly string[]
  readonly secrets?: readonly string[]
  readonly name?: string
  readonly prefix?: Partial<PrefixPolicyOptions>
}

export function affinityOf({
  ids = ['a', 'b', 'c'],
  secrets = [SECRET],
  name = 'web',
  prefix,
}: Facts = {}): Affinity {
  return createAffinity({
    name,
    backends: ids.map(id => ({ id, url: `http://${id}.test:80` })),
    secrets,
    affinity: [{ prefix: { cookie: 'SID', ...prefix } }],
  })
}

export function select(affinity: Affinity, cookie?: string): Lease {
  const headers = { host: 'shop.test', ...(cookie === undefined ? {} : { cookie }) }
  const message: NodeRequest = {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: { remoteAddress: '192.0.2.1' },
  }
  const lease = affinity.select(requestHead(message))
  if (lease instanceof Promise) throw new TypeError('nothing here waits')
  return lease
}

/** The Cookie line that the backend sees. */
export function forwarded(lease: Lease): string | undefined {
  const lines = lease.requestLines()
  const at = lines.findIndex((line, index) => index % 2 === 0 && line.toLowerCase() === 'cookie')
  return at < 0 ? undefined : lines[at + 1]
}

/** The Set-Cookie lines for the client when the application sets `lines`. */
export function responded(
  lease: Lease,
  lines: string | string[],
  more: Record<string, string> = {},
): string[] {
  const headers = { 'set-cookie': [lines].flat(), ...more }
  return [lease.responded({ statusCode: 200, headers })['set-cookie'] ?? []].flat()
}

/** The pair that a browser sends back for a Set-Cookie line: blanks round name and value are not kept. */
export function pairOf(line: string | undefined): string {
  const [pair = ''] = (line ?? '').split(';')
  const equals = pair.indexOf('=')
  return `${pair.slice(0, equals).trim()}=${pair.slice(equals + 1).replace(/^[ \t]+|[ \t]+$/g, '')}`
}
