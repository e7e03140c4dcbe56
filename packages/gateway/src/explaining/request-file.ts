import { UsageError } from '../cli/usage-error.ts'

/** The head of a request as `POST /explain` takes it. */
export interface RequestText {
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
}

const REQUEST_LINE = /^(\S+) (\S+) HTTP\/\d(?:\.\d)?$/
/** A header line: its name and its value. */
export const FIELD_LINE = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/
/** curl -v marks the lines that it sends. */
const CURL_MARK = /^> ?/

/**
 * The head of a request from a text: a request line and header lines, up to an empty line. Lines that `curl -v` shows
 * are taken as they are.
 * @throws UsageError naming the line; never its text, which may be a session's
 */
export function requestText(name: string, text: string): RequestText {
  const sent = text.split(/\r?\n/)
  const isCurls = sent.some(line => CURL_MARK.test(line))
  const lines = sent.map((line, index) => ({ line, number: index + 1 }))
  const own = isCurls
    ? lines.flatMap(({ line, number }) =>
        CURL_MARK.test(line) ? [{ line: line.replace(CURL_MARK, ''), number }] : [],
      )
    : lines
  const first = own.findIndex(({ line }) => line !== '')
  const start = own[first]
  const [, method = '', url = ''] = REQUEST_LINE.exec(start?.line ?? '') ?? []
  if (method === '')
    throw new UsageError(
      `${name}: line ${start?.number ?? 1} is no request line; it takes a line such as GET /cart HTTP/1.1`,
    )
  const headers: [string, string][] = []
  for (const { line, number } of own.slice(first + 1)) {
    if (line === '') break
    const [, field, value = ''] = FIELD_LINE.exec(line) ?? []
    if (field === undefined)
      throw new UsageError(
        `${name}: line ${number} is no header; it takes a line such as Cookie: SERVERID=...`,
      )
    headers.push([field, value])
  }
  return { method, url, headers }
}
