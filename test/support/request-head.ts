import type { RequestHead } from '@limpet/core'

/** The head of a plain request. */
export const REQUEST: RequestHead = {
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  headers: { host: 'a' },
  rawHeaders: ['Host', 'a'],
  remoteAddress: '192.0.2.7',
  localPort: 80,
  encrypted: false,
  hasBody: false,
}
