import { OptionError } from '@limpet/core'
import { type OptionKind, parsed, text } from '@limpet/core/options'
import type { Address } from './config.ts'

/** The name of a pool. */
export const NAME = /^[A-Za-z0-9_-]{1,64}$/
export const NAME_TAKES = '1 to 64 of the characters A-Z a-z 0-9 _ -'

/** A text, or a reference to one. It is resolved when the whole file was read. */
export const REFERENCE = text({ takes: 'a text, or where it is kept: env:NAME or file:PATH' })

/** A file, by its path from the folder of the configuration. */
export const FILE = text({ takes: 'the path of a file' })

const ADDRESS_TAKES = 'an address and a port, as 127.0.0.1:8080'
const ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):\d{1,5}$/

/** An address to listen on. */
export function address(fallback: string): OptionKind<string, Address, false> {
  return parsed<string, Address>(
    ADDRESS_TAKES,
    (path, value = fallback) => {
      if (typeof value !== 'string' || !ADDRESS.test(value)) throw new OptionError(path, value, ADDRESS_TAKES)
      const colon = value.lastIndexOf(':')
      const port = Number(value.slice(colon + 1))
      if (port > 65_535)
        throw new OptionError(path, value, '', `got the port ${port}; it takes at most 65535`)
      return { host: value.slice(0, colon).replaceAll(/[[\]]/g, ''), port }
    },
    { type: 'string', pattern: ADDRESS.source, default: fallback },
  )
}

const UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const
const SIZE = /^(\d{1,12})(B|KiB|MiB|GiB)$/

interface SizeSettings<D> {
  /** In bytes. */
  readonly min?: number
  /** In bytes. */
  readonly max?: number
  readonly takes?: string
  readonly default?: D
}

/** A number of bytes, with a unit or without; the code reads bytes. */
export function size<const D extends string | undefined = undefined>({
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
  takes = 'a number of bytes, as 16KiB or 1MiB',
  default: fallback,
}: SizeSettings<D> = {}): OptionKind<
  number | string,
  number | (D extends undefined ? undefined : number),
  false
> {
  type Out = number | (D extends undefined ? undefined : number)
  return parsed<number | string, Out>(
    takes,
    (path, value = fallback) => {
      if (value === undefined) return undefined as Out
      const bytes = bytesOf(value)
      if (!(Number.isInteger(bytes) && bytes >= min && bytes <= max))
        throw new OptionError(path, value, takes)
      return bytes
    },
    {
      anyOf: [
        { type: 'integer', minimum: min, maximum: max },
        { type: 'string', pattern: SIZE.source },
      ],
      ...(fallback !== undefined && { default: fallback }),
    },
  )
}

/** The bytes of a number, or of a text as `16KiB`; NaN for another value. */
export function bytesOf(value: unknown): number {
  if (typeof value === 'number') return value
  const [, count, unit] = SIZE.exec(String(value)) ?? []
  return Number(count) * UNITS[unit as keyof typeof UNITS]
}
