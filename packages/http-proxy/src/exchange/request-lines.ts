import type { ClientRequest } from 'node:http'

/** Fields that httpxy and node:http set on a request by themselves. */
const THEIRS: ReadonlySet<string> = new Set(['host', 'content-length', 'connection', 'upgrade'])

/**
 * Gives `request` its head, line by line: in this order and spelling, and several of one name as several. Fields that
 * are set one by one are kept beside the head that is made of them, as long as the request lasts. Fields that other
 * code has set on it (tracing tools, say) are kept, instead of the lines of that name.
 * @throws TypeError for a line that cannot be written
 */
export function writeLines(request: ClientRequest, lines: string[]): void {
  for (const name of request.getHeaderNames()) {
    if (!THEIRS.has(name)) replaceLines(lines, name, request.getHeader(name))
  }
  // Node's constructor calls this for an array of lines; but by then the backend is not known yet.
  const storeHeader = Reflect.get(request, '_storeHeader') as (firstLine: string, lines: string[]) => void
  storeHeader.call(request, `${request.method} ${request.path} HTTP/1.1\r\n`, lines)
}

function replaceLines(lines: string[], name: string, value: unknown): void {
  for (let index = lines.length - 2; index >= 0; index -= 2) {
    if (lines[index]?.toLowerCase() === name) lines.splice(index, 2)
  }
  for (const part of [value].flat()) lines.push(name, String(part))
}
