import type { JsonSchema } from '../options/json-schema.ts'
import { keyPath, OptionError, throwAll } from '../options/option.ts'
import { duration } from '../options/duration-kind.ts'
import { boolean, integer, text, word } from '../options/plain-kinds.ts'
import { compiled, type OptionKind, parsed, parseOption } from '../options/option-kind.ts'
import { type OptionsOf, optionTable, table } from '../options/option-table.ts'
import { TOKEN } from '../http/token.ts'

/** Far below what a timer can count, jitter and all: above that, it fires at once. */
const MAX_INTERVAL_MS = 86_400_000

/** Of a body this much is read, so nothing longer can stand there. */
const MAX_BODY_BYTES = 65_536

/** Fields that frame a message or belong to its connection cannot be set. */
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

const METHOD = 'a method'
const FIELDS = 'an object of header fields, by their names'
const EXPECT = 'a status from 200 to 599, one of 2xx, 3xx, 4xx, 5xx, or a list of these'
const ONE_STATUS: JsonSchema = {
  anyOf: [{ type: 'integer', minimum: 200, maximum: 599 }, { enum: ['2xx', '3xx', '4xx', '5xx'] }],
}
const EXPECT_SCHEMA: JsonSchema = {
  anyOf: [ONE_STATUS, { type: 'array', items: ONE_STATUS, minItems: 1 }],
  default: '2xx',
}

/** Options of the request and its response. */
const OF_REQUESTS = ['path', 'method', 'headers', 'expect', 'body', 'selfDrain'] as const

/** How backends are checked. */
const HEALTH_OPTIONS = optionTable(
  {
    /** The path of the request. @default '/' */
    path: text({ pattern: /^\/[!-~]*$/, takes: 'a path that begins with /, of visible ASCII', default: '/' }),
    /** Its method. Not CONNECT, which asks for a tunnel. @default 'GET' */
    method: parsed<string, string>(METHOD, parseMethod, { type: 'string', minLength: 1, default: 'GET' }),
    /** Fields of the request beside its own; `host` replaces that of the backend's url. @default {} */
    headers: parsed<Readonly<Record<string, string>>, Readonly<Record<string, string>>>(
      FIELDS,
      parseHeaders,
      {
        type: 'object',
        additionalProperties: { type: 'string' },
      },
    ),
    /** From one check to the next, give or take a tenth. 10 ms to a day. @default '5s' */
    interval: duration({ min: 10, max: MAX_INTERVAL_MS, default: '5s' }),
    /** Until a check has failed. At least 1 ms. @default '2s' */
    timeout: duration({ min: 1, default: '2s' }),
    /** Consecutive failures until a backend is down. @default 3 */
    fall: integer({ min: 1, max: 1000, default: 3 }),
    /** Consecutive successes until it is up again. @default 2 */
    rise: integer({ min: 1, max: 1000, default: 2 }),
    /** The status that it has to respond with: a status, a class of them, or a list of these. @default '2xx' */
    expect: parsed<HealthExpectation | readonly HealthExpectation[], (statusCode: number) => boolean>(
      EXPECT,
      parseExpect,
      EXPECT_SCHEMA,
    ),
    /** A text that the first 64 KiB of the body have to contain. Not with HEAD, whose response has none. @default absent: anything */
    body: parsed<string, string | undefined>('a text', parseBody, { type: 'string', minLength: 1 }),
    /** The state of a backend until it has been checked: up until it is proven down, or down until it is proven up. @default 'up' */
    initial: word(['up', 'down'], { default: 'up' }),
    /** A connection is enough, over TLS with its handshake; no request is sent. Not with options of the request and its response. @default false */
    tcp: boolean({ default: false }),
    /** A backend that responds with 404, or with `Limpet-State: drain`, drains until it responds otherwise. @default false */
    selfDrain: boolean({ default: false }),
  },
  function* ({ tcp, path, method, headers, expect, body, selfDrain }, at) {
    const ofRequests = {
      path: path !== '/',
      method: method !== 'GET',
      headers: Object.keys(headers).length > 0,
      expect: expect !== expectSuccess,
      body: body !== undefined,
      selfDrain,
    }
    for (const key of OF_REQUESTS)
      if (tcp && ofRequests[key])
        yield new OptionError(at(key), key, '', 'cannot be combined with tcp, which sends no request')
    if (body !== undefined && method.toUpperCase() === 'HEAD')
      yield new OptionError(at('body'), body, 'nothing with HEAD, whose response has no body')
  },
)

export interface HealthOptions extends OptionsOf<typeof HEALTH_OPTIONS> {}

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
  /** A connection is enough. */
  readonly tcp: boolean
  /** Whether a response may begin a drain. */
  readonly selfDrain: boolean
}

/** Health checks as an option. */
export const HEALTH: OptionKind<HealthOptions, HealthSettings | undefined, false> = compiled(
  table(HEALTH_OPTIONS),
  ({ interval, timeout, expect, initial, ...rest }) => ({
    ...rest,
    intervalMs: interval,
    timeoutMs: timeout,
    isExpected: expect,
    isUpAtFirst: initial === 'up',
  }),
)

/**
 * Undefined: no checks.
 * @throws OptionError with every problem
 */
export function parseHealth(path: string, value: unknown): HealthSettings | undefined {
  return parseOption(HEALTH, path, value)
}

function parseText(path: string, value: unknown, pattern: RegExp, takes: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new OptionError(path, value, takes)
  return value
}

function parseMethod(path: string, value: unknown): string {
  const method = parseText(path, value ?? 'GET', TOKEN, METHOD)
  if (method.toUpperCase() === 'CONNECT') throw new OptionError(path, value, 'a method other than CONNECT')
  return method
}

/** A text that no response can contain would take all backends down. */
function parseBody(path: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  const body = parseText(path, value, /^[^]+$/, 'a text that is not empty')
  if (Buffer.byteLength(body) > MAX_BODY_BYTES)
    throw new OptionError(path, value, `a text of at most ${MAX_BODY_BYTES} bytes`)
  return body
}

function parseHeaders(path: string, value: unknown = {}): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new OptionError(path, value, FIELDS)
  const errors: OptionError[] = []
  const fields = Object.entries(value).map(([name, one]) => {
    const lower = name.toLowerCase()
    if (!TOKEN.test(name) || RESERVED.has(lower))
      errors.push(
        new OptionError(keyPath(path, name), name, 'a name that is not of the connection or the framing'),
      )
    else if (typeof one !== 'string' || !/^[\t -~\u0080-\u00ff]*$/.test(one))
      errors.push(new OptionError(keyPath(path, name), one, 'a text without line breaks'))
    return [lower, String(one)] as const
  })
  throwAll(errors)
  return Object.fromEntries(fields)
}

function expectSuccess(statusCode: number): boolean {
  return statusCode >= 200 && statusCode < 300
}

function parseExpect(path: string, value?: unknown): (statusCode: number) => boolean {
  if (value === undefined) return expectSuccess
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  const expected = new Set(all)
  const errors: OptionError[] = []
  for (const [index, one] of all.entries()) {
    const isClass = typeof one === 'string' && /^[2-5]xx$/.test(one)
    if (!isClass && !(Number.isInteger(one) && Number(one) >= 200 && Number(one) <= 599))
      errors.push(new OptionError(Array.isArray(value) ? `${path}[${index}]` : path, one, EXPECT))
  }
  throwAll(errors)
  if (expected.size === 0) throw new OptionError(path, value, EXPECT)
  return statusCode => expected.has(statusCode) || expected.has(`${Math.floor(statusCode / 100)}xx`)
}
