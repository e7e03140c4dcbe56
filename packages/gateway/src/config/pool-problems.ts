import { type AffinityPolicy, OptionError } from '@limpet/core'
import { parseHttpProxyOptions } from '@limpet/http-proxy/transport'
import type { PoolConfig } from './config.ts'

type Options = Readonly<Record<string, unknown>>
type Keys = readonly string[]

/** A file with more of them has another problem. */
const MAX_PROBLEMS = 100

/** What stands in the place of what is wrong and needed, so that what is wrong beside it can be seen. */
const SECRET = 'nobody-0123456789abcdefghijklmnopqrstuvwxyz'
const URL_OF_NOBODY = 'http://127.0.0.1:1'
const POLICY: AffinityPolicy = { name: 'nobody', read: () => [] }
const INSTEAD: Options = { backends: [{ id: 'nobody', url: URL_OF_NOBODY }], secrets: [SECRET] }

/** All that core and the adapters have to say about the options of a pool. They say one thing at a time. */
export function optionErrors(options: PoolConfig['options']): readonly OptionError[] {
  const errors = new Map<string, OptionError>()
  let next: Options = { ...options }
  for (let count = 0; count < MAX_PROBLEMS; count += 1) {
    try {
      parseHttpProxyOptions(next as unknown as PoolConfig['options'])
      break
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      const { option } = error
      // What is left of an option without its wrong part may be wrong for that.
      const isAgain = [...errors.keys()].some(known => isWithin(known, option))
      if (!isAgain) errors.set(option, error)
      const [name, ...keys] = option.match(/[^.[\]]+/g) ?? []
      if (name === undefined) break
      next = without(next, name, isAgain ? [] : keys)
    }
  }
  return [...errors.values()]
}

/** Whether `path` is `other`, or a part of it. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`)
}

/** The options without what is at fault of one of them, or with something good in its place. */
function without(options: Options, name: string, keys: Keys): Options {
  const value = options[name]
  const [index = '', ...rest] = keys
  if (Array.isArray(value) && index !== '')
    return {
      ...options,
      [name]: value.with(Number(index), itemWithout(name, value[Number(index)], rest, index)),
    }
  if (isPlain(value) && keys.length > 0) return { ...options, [name]: leafless(value, keys) }
  const { [name]: _wrong, ...others } = options
  return name in INSTEAD ? { ...others, [name]: INSTEAD[name] } : others
}

function itemWithout(list: string, item: unknown, keys: Keys, index: string): unknown {
  switch (list) {
    case 'backends': {
      const nobody: Options = { id: `nobody-${index}`, url: URL_OF_NOBODY }
      if (!isPlain(item)) return nobody
      const [key = ''] = keys
      return key in nobody ? { ...item, [key]: nobody[key] } : leafless(item, keys)
    }
    case 'affinity':
      return isPlain(item) && keys.length > 1 ? leafless(item, keys) : POLICY
    case 'secrets':
      return SECRET
    default:
      return '127.0.0.1'
  }
}

function leafless(value: Options, [key = '', ...rest]: Keys): Options {
  const inner = value[key]
  if (rest.length > 0 && isPlain(inner)) return { ...value, [key]: leafless(inner, rest) }
  const { [key]: _wrong, ...others } = value
  return others
}

function isPlain(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
