import type { RequestHead } from './head.ts'

/** A browser's request for `/` of `web.test`, with this Cookie field and other facts. */
export function request(cookie?: string, facts: Partial<RequestHead> = {}): RequestHead {
  const lines = cookie === undefined ? [] : ['Cookie', cookie]
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', ...lines],
    headers: cookie === undefined ? { host: 'web.test' } : { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
    ...facts,
  }
}
