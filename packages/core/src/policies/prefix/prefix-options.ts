import { OptionError, optionBoolean, optionList, optionObject, optionOneOf } from '../../options/option.ts'
import { TOKEN } from '../../http/token.ts'

/** The `prefix` policy as it is configured. */
export interface PrefixPolicyOptions {
  /** The application's cookie that carries the mark, as `JSESSIONID`. */
  readonly cookie: string
  /** A cacheable answer that sets it becomes private. (HAProxy nocache) @default true */
  readonly noCache?: boolean
  /** A keyed tag stands for the backend; false: its id, readable. @default true */
  readonly opaque?: boolean
  /**
   * Marks of another load balancer to read: with `haproxy` an id or an alias and a `~` before the application's value,
   * as `s1~abc` (HAProxy `cookie … prefix`). They are not signed, so every client may choose. @default []
   */
  readonly accept?: readonly 'haproxy'[]
}

export type PrefixOptions = Required<PrefixPolicyOptions>

const KEYS: readonly string[] = [
  'cookie',
  'noCache',
  'opaque',
  'accept',
] satisfies (keyof PrefixPolicyOptions)[]

/** @throws OptionError naming the option, what it got and what it takes. */
export function parsePrefixOptions(path: string, value: unknown): PrefixOptions {
  const given = optionObject(path, value, KEYS)
  const { cookie } = given
  if (typeof cookie !== 'string' || !TOKEN.test(cookie)) {
    throw new OptionError(`${path}.cookie`, cookie, 'the name of a cookie, a token (RFC 9110 §5.6.2)')
  }
  return {
    cookie,
    noCache: optionBoolean(`${path}.noCache`, given['noCache'], true),
    opaque: optionBoolean(`${path}.opaque`, given['opaque'], true),
    accept: parseAccept(`${path}.accept`, given['accept']),
  }
}

function parseAccept(path: string, value: unknown): PrefixOptions['accept'] {
  if (value === undefined) return []
  return optionList(path, value, 'a list of haproxy').map((item, index) =>
    optionOneOf(`${path}[${index}]`, item, 'haproxy', ['haproxy']),
  )
}
