import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isIP } from 'node:net'
import type { NodeRequest } from '@limpet/core'
import { parsedFields } from '@limpet/core/adapter'
import { list, type OptionsOf, optionTable, parsed, text } from '@limpet/core/options'
import { OptionError } from '@limpet/core'

const MAX_HEADERS = 500
const PAIR = 'a pair [name, value] that a header may have'

/** A request to explain, as `POST /explain` takes it. */
const QUESTION = optionTable({
  /** The pool. @default that of the routes */
  pool: text({ takes: 'the name of a pool' }),
  method: text({ pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/, takes: 'a method', default: 'GET' }),
  /** The request target. */
  url: text({
    pattern: /^[\u0021-\u00ff]{1,16384}$/,
    takes: 'a request target, as /cart?id=1',
    default: '/',
  }),
  /** The header lines, each as `[name, value]`, in their order. */
  headers: list(parsed<readonly [string, string], readonly [string, string]>(PAIR, parsePair, {}), {
    takes: `a list of at most ${MAX_HEADERS} pairs [name, value]`,
    default: [],
  }),
  /** Cookies as a header has them, or the value of the pool's own cookie alone. */
  cookie: text({ takes: 'cookies as NAME=VALUE, or a value' }),
  /** The client's address. */
  client: text({ takes: 'an address' }),
})

export interface Question extends OptionsOf<typeof QUESTION> {}
/** The same, checked. */
export type ParsedQuestion = ReturnType<typeof QUESTION.parse>

/** @throws OptionError with every problem; no header's value is in it */
export function parseQuestion(body: unknown): ParsedQuestion {
  const question = QUESTION.parse('', body)
  const { client, headers } = question
  if (headers.length > MAX_HEADERS)
    throw new OptionError('headers', headers.length, `at most ${MAX_HEADERS} pairs`)
  if (client !== undefined && isIP(client) === 0)
    throw new OptionError('client', client, 'an address, as 192.0.2.1')
  return question
}

function parsePair(path: string, value: unknown): readonly [string, string] {
  const [name, text_, ...more] = Array.isArray(value) ? (value as readonly unknown[]) : []
  try {
    if (typeof name !== 'string' || typeof text_ !== 'string' || more.length > 0) throw new TypeError(PAIR)
    validateHeaderName(name)
    validateHeaderValue(name, text_)
    return [name, text_]
  } catch {
    // The value may be a session's.
    throw new OptionError(path, undefined, '', `is not ${PAIR}`)
  }
}

/** The lines of a question. HTTP/1.1 needs a Host, and the question may be about any. */
export function linesOf({ headers }: ParsedQuestion): readonly (readonly [string, string])[] {
  return headers.some(([name]) => name.toLowerCase() === 'host')
    ? headers
    : [['Host', 'localhost'], ...headers]
}

/**
 * The request of a question, as Node would have made it.
 * @param cookieName the cookie that a value alone is of
 */
export function requestOf(question: ParsedQuestion, cookieName: string): NodeRequest {
  const { method, url, cookie, client } = question
  const line = cookie === undefined || cookie.includes('=') ? cookie : `${cookieName}=${cookie}`
  const lines = line === undefined ? linesOf(question) : [...linesOf(question), ['Cookie', line] as const]
  const rawHeaders = lines.flat()
  return {
    method,
    url,
    httpVersion: '1.1',
    rawHeaders,
    headers: parsedFields(rawHeaders),
    socket: { remoteAddress: client },
  }
}
