import { type ServerResponse, STATUS_CODES } from 'node:http'

/** The error response for clients: the status alone, the same on every adapter. */
export const errorPage = {
  type: 'text/plain; charset=utf-8',
  text: (statusCode: number): string => `${statusCode} ${STATUS_CODES[statusCode] ?? 'Error'}\n`,
  send(
    response: ServerResponse,
    statusCode: number,
    headers: Readonly<Record<string, string>> = NEVER_STORED,
  ): void {
    const text = errorPage.text(statusCode)
    response
      .writeHead(statusCode, { ...headers, 'content-type': errorPage.type, 'content-length': text.length })
      .end(text)
  },
}

const NEVER_STORED = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
