import { type Duration, durationMs } from '../options/duration.ts'
import { OptionError, optionInteger, optionObject, optionOneOf } from '../options/option.ts'
import { TOKEN } from '../http/token.ts'

/** How backends are asked whether they are well. */
export interface HealthOptions {
  /** @default '/' */
  readonly path?: string
  /** Not CONNECT, which asks for something else than an answer. @default 'GET' */
  readonly method?: string
  /** Fields of the request beside its own; `host` replaces that of the backend's url. @default {} */
  readonly headers?: Readonly<Record<string, string>>
  /** From one check to the next, give or take a tenth. 10 ms to a day. @default '5s' */
  readonly interval?: Duration
  /** Until a check has failed. At least 1 ms. @default '2s' */
  readonly timeout?: Duration
  /** Failures in a row until a backend is down. @default 3 */
  readonly fall?: number
  /** Successes in a row until it is up again. @default 2 */
  readonly rise?: number
  /** What it has to answer: a status, a class of them, or a list of these. @default '2xx' */
  readonly expect?: HealthExpectation | readonly HealthExpectation[]
  /** What the first 64 KiB of the body have to contain. Not with HEAD, whose answer has none. @default absent: anything */
  readonly body?: string
  /** What a backend is until it has been checked: up until it is proven down, or down until it is proven up. @default 'up' */
  readonly initial?: 'up' | 'down'
}

export type HealthExpectation = number | '2xx' | '3xx' | '4xx' | '5xx'

/** The same, complete and checked. */
export interface HealthSettings {
  readonly path: string
  readonly method: string
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly fall: number
  readonly rise: number
  readonly isExpected: (statusCode: number) => boolean
  readonly body: string | undefined
  readonly isUpAtFirst: boolean
}

/** Far below what a timer can count, jitter and all: above that, it fires at once. */
const MAX_INTERVAL_MS = 86_400_000

/** Of a body this much is read, so nothing longer can stand there. */
const MAX_BODY_BYTES = 65_536

const KEYS = [
  'path',
  'method',
  'headers',
  'interval',
  'timeout',
  'fall',
  'rise',
  'expect',
  'body',
  'initial',
] as const satisfies readonly (keyof HealthOptions)[]

/** What frames a message or belongs to its connection is not the user's. */
const RESERVED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Undefined: no checks.
 * @throws OptionError naming the option, what it got and what it takes.
 */
export function parseHealth(path: string, value: unknown): HealthSettings | undefined {
  if (value === undefined) return undefined
  const given = optionObject(path, value, KEYS)
  const method = parseMethod(`${path}.method`, given['method'] ?? 'GET')
  return {
    path: parseText(
      `${path}.path`,
      given['path'] ?? '/',
      /^\/[!-~]*$/,
      'a path that begins with /, of visible ASCII',
    ),
    method,
    headers: parseHeaders(`${path}.headers`, given['headers'] ?? {}),
    intervalMs: atLeast(10, `${path}.interval`, given['interval'], '5s', MAX_INTERVAL_MS),
    timeoutMs: atLeast(1, `${path}.timeout`, given['timeout'], '2s'),
    fall: optionInteger(`${path}.fall`, given['fall'], 3, 1, 1000),
    rise: optionInteger(`${path}.rise`, given['rise'], 2, 1, 1000),
    isExpected: parseExpect(`${path}.expect`, given['expect'] ?? '2xx'),
    body: given['body'] === undefined ? undefined : parseBody(`${path}.body`, given['body'], method),
    isUpAtFirst: optionOneOf(`${path}.initial`, given['initial'], 'up', ['up', 'down']) === 'up',
  }
}

function parseText(path: string, value: unknown, pattern: RegExp, takes: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new OptionError(path, value, takes)
  return value
}

function atLeast(leastMs: number, ...[path, value, ...rest]: Parameters<typeof durationMs>): number {
  const ms = durationMs(path, value, ...rest)
  if (ms < leastMs) throw new OptionError(path, value, `a duration of at least ${leastMs} ms`)
  return ms
}

function parseMethod(path: string, value: unknown): string {
  const method = parseText(path, value, TOKEN, 'a method')
  if (method.toUpperCase() === 'CONNECT') throw new OptionError(path, value, 'a method other than CONNECT')
  return method
}

/** What no answer could contain would take all backends down. */
function parseBody(path: string, value: unknown, method: string): string {
  const body = parseText(path, value, /^[^]+$/, 'a text that is not empty')
  if (Buffer.byteLength(body) > MAX_BODY_BYTES)
    throw new OptionError(path, value, `a text of at most ${MAX_BODY_BYTES} bytes`)
  if (method.toUpperCase() === 'HEAD')
    throw new OptionError(path, value, 'nothing with HEAD, whose answer has no body')
  return body
}

function parseHeaders(path: string, value: unknown): Readonly<Record<string, string>> {
  const takes = 'an object of header fields, by their names'
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new OptionError(path, value, takes)
  const fields = Object.entries(value).map(([name, text]): [string, string] => {
    const lower = name.toLowerCase()
    if (!TOKEN.test(name) || RESERVED.has(lower))
      throw new OptionError(`${path}.${name}`, name, 'a name that is not of the connection or the framing')
    return [
      lower,
      parseText(`${path}.${name}`, text, /^[\t -~\u0080-\u00ff]*$/, 'a text without line breaks'),
    ]
  })
  return Object.fromEntries(fields)
}

function parseExpect(path: string, value: unknown): (statusCode: number) => boolean {
  const takes = 'a status from 200 to 599, one of 2xx, 3xx, 4xx, 5xx, or a list of these'
  const expected = new Set([value].flat())
  for (const one of expected) {
    const isClass = typeof one === 'string' && /^[2-5]xx$/.test(one)
    if (!isClass && !(Number.isInteger(one) && Number(one) >= 200 && Number(one) <= 599))
      throw new OptionError(path, one, takes)
  }
  if (expected.size === 0) throw new OptionError(path, value, takes)
  return statusCode => expected.has(statusCode) || expected.has(`${Math.floor(statusCode / 100)}xx`)
}
