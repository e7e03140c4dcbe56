import cluster from 'node:cluster'
import { existsSync } from 'node:fs'
import type { AdapterName } from '../config/config.ts'
import { hint, parseFlags } from './flags.ts'
import { UsageError } from './usage-error.ts'
import { VERBS } from './verbs.ts'

/** The file of a command line without --config. */
const DEFAULT_FILE = 'limpet.yaml'
const WORDS = ['check', 'schema', 'proxy'] as const
const ADAPTERS: readonly AdapterName[] = ['fastify', 'express', 'koa']

/** The flags of a gateway, and of the verbs that take the same ones. */
export interface Arguments {
  readonly help: boolean
  readonly version: boolean
  readonly pretty: boolean
  readonly word: (typeof WORDS)[number] | undefined
  readonly config: string
  readonly adapter: AdapterName | undefined
  readonly watch: boolean
  readonly withoutSecrets: boolean
  readonly from: string | undefined
  readonly to: readonly string[] | undefined
}

/** Reads the flags of a gateway. @throws UsageError */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseFlags(args, {
    config: { type: 'string', short: 'c' },
    adapter: { type: 'string' },
    pretty: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false },
    'without-secrets': { type: 'boolean', default: false },
    from: { type: 'string' },
    to: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h', default: false },
    version: { type: 'boolean', short: 'v', default: false },
  })
  const { from, to, help, pretty, watch } = values
  const adapter = ADAPTERS.find(name => name === values.adapter)
  if (values.adapter !== undefined && adapter === undefined)
    throw new UsageError(`--adapter got "${values.adapter}"${hint(values.adapter, ADAPTERS)}`)
  const [given, ...words] = positionals
  const word = WORDS.find(one => one === given)
  if (given !== undefined && word === undefined)
    throw new UsageError(`there is no command ${given}${hint(given, [...WORDS, ...VERBS.keys()])}`)
  const [file, ...more] = word === 'check' ? words : [undefined, ...words]
  if (more.length > 0) throw new UsageError(`there is no command ${positionals.join(' ')}`)
  if (file !== undefined && values.config !== undefined)
    throw new UsageError('limpet check takes one file: behind check, or of --config')
  if (word !== 'proxy' && (from !== undefined || to !== undefined))
    throw new UsageError('--from and --to are flags of limpet proxy')
  if (word !== 'check' && values['without-secrets'])
    throw new UsageError('--without-secrets is a flag of limpet check')
  if (word !== undefined && watch)
    throw new UsageError(
      `--watch is a flag of limpet without a word, which reads a file; ${word} has nothing to watch`,
    )
  if (word === 'proxy' && values.config !== undefined)
    throw new UsageError('limpet proxy takes no --config: it needs no file')
  const config = values.config ?? file
  const needsFile = (word === undefined || word === 'check') && !help && !values.version
  // A worker gets the text from its parent.
  if (!cluster.isWorker && needsFile && config === undefined && !existsSync(DEFAULT_FILE))
    throw new UsageError(
      `there is no ${DEFAULT_FILE} in this folder; --config FILE names another one, and limpet init writes one`,
    )
  return {
    help,
    version: values.version,
    pretty,
    word,
    config: config ?? DEFAULT_FILE,
    adapter,
    watch,
    withoutSecrets: values['without-secrets'],
    from,
    to,
  }
}
