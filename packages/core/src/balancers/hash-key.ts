import { addressBlock, type Prefixes } from '../http/address-block.ts'
import { clientOf, type TrustProxy } from '../http/client.ts'
import type { RequestHead } from '../head.ts'
import { originForm } from '../http/refusal.ts'
import type { JsonSchema } from '../options/json-schema.ts'
import { OptionError } from '../options/option.ts'
import { parseRequestField, type RequestField } from '../http/request-field.ts'

/** The part of a request that is hashed: the client's address, the path without its query, or the value of a field. */
export type HashKey = 'ip' | 'path' | RequestField

/** The key as a text, or undefined when the request has none. */
export type KeyReader = (request: RequestHead) => string | undefined

export interface AddressOptions extends Prefixes {
  readonly trusts: TrustProxy
}

/** As the second half of a sentence. */
export const HASH_KEYS_TAKE =
  '"ip", "path", "header:NAME", "query:NAME", "cookie:NAME" or "path-parameter:NAME", or a list of these'

export const HASH_KEYS_SCHEMA: JsonSchema = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
  ],
}

/** Checked keys. */
export interface HashKeys {
  /** Whether one of them is the client's address. */
  readonly hasAddress: boolean
  /** Reads the first key that is present. */
  readonly reader: (options: AddressOptions) => KeyReader
}

/** @throws OptionError for a wrong key, a key that stands twice, or one behind `path`, which every request has. */
export function parseHashKeys(path: string, value: unknown): HashKeys {
  if (!Array.isArray(value)) return { hasAddress: value === 'ip', reader: parseHashKey(path, value) }
  const list: readonly unknown[] = value
  if (list.length === 0) throw new OptionError(path, value, HASH_KEYS_TAKE)
  const makers = list.map((item, index) => {
    const at = `${path}[${index}]`
    if (list.indexOf(item) < index) throw new OptionError(at, item, 'a key that does not stand twice')
    if (list[index - 1] === 'path') throw new OptionError(at, item, 'nothing: every request has a path')
    return parseHashKey(at, item)
  })
  return {
    hasAddress: list.includes('ip'),
    reader(options) {
      const readers = makers.map(make => make(options))
      return request => {
        for (const read of readers) {
          const key = read(request)
          if (key !== undefined) return key
        }
        return undefined
      }
    },
  }
}

function parseHashKey(path: string, value: unknown): HashKeys['reader'] {
  if (value === 'path') return () => pathOf
  if (value === 'ip') {
    return options => request => {
      const { address } = clientOf(request, options.trusts)
      return address === undefined ? undefined : addressBlock(address, options)
    }
  }
  const read = parseRequestField(path, value, HASH_KEYS_TAKE)
  return () => request => {
    const values = read(request)
    return values.length > 1 ? values.join('\n') : values[0]
  }
}

function pathOf({ url }: RequestHead): string {
  const target = originForm(url)
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}
