import { parseFlags } from '../cli/flags.ts'
import { UsageError } from '../cli/usage-error.ts'
import { type Format, FORMATS } from './format.ts'

const OPTIONS = {
  format: { type: 'string', short: 'f' },
  out: { type: 'string', short: 'o' },
  force: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export interface Settings {
  readonly file: string
  /** Undefined: told by the file. */
  readonly format: Format | undefined
  /** Undefined: the standard output. */
  readonly out: string | undefined
  readonly force: boolean
}

/** @throws UsageError */
export function parseSettings(args: readonly string[]): Settings | 'help' {
  const { values, positionals } = parseFlags(args, OPTIONS)
  if (values.help) return 'help'
  const [file] = positionals
  if (file === undefined) throw new UsageError('the file of the other server is missing')
  if (positionals.length > 1) throw new UsageError(`one file at a time; got ${positionals.length}`)
  const format = FORMATS.find(one => one === values.format)
  if (values.format !== undefined && format === undefined)
    throw new UsageError(`--format got "${values.format}"; it takes ${FORMATS.join(', ')}`)
  if (values.force && values.out === undefined) throw new UsageError('--force needs --out FILE')
  return { file, format, out: values.out, force: values.force }
}
