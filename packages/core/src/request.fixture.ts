import type { RequestHead } from './head.ts'
import { parsedFields } from './http/wire-fields.ts'

/** A request of which nothing is known but its method and path. */
export const BARE_REQUEST: RequestHead = {
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  rawHeaders: [],
  headers: {},
  remoteAddress: undefined,
  localPort: undefined,
  encrypted: false,
  hasBody: false,
}

/** A request with these header lines, joined as Node's parser joins them. */
export function requestOfLines(
  lines: readonly (readonly [name: string, value: string])[],
  facts: Partial<RequestHead> = {},
): RequestHead {
  return {
    ...BARE_REQUEST,
    rawHeaders: lines.flat(),
    headers: parsedFields(lines.flat()),
    remoteAddress: '192.0.2.1',
    localPort: 80,
    ...facts,
  }
}

/** A browser's request for `/` of `web.test`, with this Cookie field and other facts. */
export function request(cookie?: string, facts: Partial<RequestHead> = {}): RequestHead {
  const lines = cookie === undefined ? [] : ['Cookie', cookie]
  return {
    ...BARE_REQUEST,
    rawHeaders: ['Host', 'web.test', ...lines],
    headers: cookie === undefined ? { host: 'web.test' } : { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    ...facts,
  }
}
