import { type AffinityPolicy, OptionError } from '@limpet/core'
import { parseHttpProxyOptions } from '@limpet/http-proxy/transport'
import type { PoolConfig } from './config.ts'

type Options = Readonly<Record<string, unknown>>
type Keys = readonly string[]

/** A file with more of them has another problem. */
const MAX_PROBLEMS = 100

/** Valid values that replace invalid required ones, so that the problems beside them can be found. */
const SECRET = 'placeholder-0123456789abcdefghijklmnopqrstuvwxyz'
const PLACEHOLDER_URL = 'http://127.0.0.1:1'
const POLICY: AffinityPolicy = { name: 'placeholder', read: () => [] }
const INSTEAD: Options = { backends: [{ id: 'placeholder', url: PLACEHOLDER_URL }], secrets: [SECRET] }

/** All problems that core and the adapters find in the options of a pool. They report one at a time. */
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
      // Removing an invalid part can itself make the option invalid; that is not a new problem.
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

/** The options without the invalid part of one of them, or with a placeholder for it. */
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
      const placeholder: Options = { id: `placeholder-${index}`, url: PLACEHOLDER_URL }
      if (!isPlain(item)) return placeholder
      const [key = ''] = keys
      return key in placeholder ? { ...item, [key]: placeholder[key] } : leafless(item, keys)
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
