import { OptionError } from '@limpet/core'

/** First part of all keys. Braces would choose another slot of a Cluster. */
export function parsePrefix(value: unknown): string {
  if (value === undefined) return 'limpet'
  if (typeof value !== 'string' || !/^[\w.:-]{1,64}$/.test(value))
    throw new OptionError('prefix', value, '1 to 64 of the characters A-Z a-z 0-9 _ - . :')
  return value
}
