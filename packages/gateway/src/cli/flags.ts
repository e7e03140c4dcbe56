import { createRequire } from 'node:module'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import type * as CoreOptions from '@limpet/core/options'
import { UsageError } from './usage-error.ts'

const load = createRequire(import.meta.url)

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: O }>
>

/** The flags of a command line and its other words. @throws UsageError that suggests the flag for a misspelt one */
export function parseFlags<const O extends Options>(args: readonly string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    const { message } = error as Error
    const [, unknown] = /^Unknown option '(-[^']*)'/.exec(message) ?? []
    throw new UsageError(
      unknown === undefined ? message : `${unknown} is not known${hint(unknown, Object.keys(options))}`,
      { cause: error },
    )
  }
}

/** The flags of a command that takes no other words. @throws UsageError */
export function parseOnlyFlags<const O extends Options>(
  args: readonly string[],
  options: O,
): Parsed<O>['values'] {
  const { values, positionals } = parseFlags(args, options)
  const { length } = positionals
  if (length > 0)
    throw new UsageError(
      `${length === 1 ? 'a word is' : `${length} words are`} not known; there are flags only`,
    )
  return values
}

/** The suggestion for a misspelt word, as the end of a sentence; empty when no word is near. */
export function hint(given: string, words: readonly string[]): string {
  // Loaded for a mistake alone: "limpet --help" would load all options of core.
  const { nearMiss } = load('@limpet/core/options') as typeof CoreOptions
  const flags = given.startsWith('-') ? '--' : ''
  const meant = nearMiss(given.replace(/^-+/, ''), words)
  return meant === undefined
    ? `; it takes ${words.map(word => flags + word).join(', ')}`
    : `; did you mean ${flags}${meant}?`
}
