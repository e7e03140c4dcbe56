import { OptionError } from '@limpet/core'
import { debugTokens, pinToken } from '@limpet/core/adapter'
import { parseSecrets } from '@limpet/core/signing'
import { parseFlags } from '../cli/flags.ts'
import type { Terminal } from '../cli/terminal.ts'
import { UsageError } from '../cli/usage-error.ts'
import { ConfigError, type PoolConfig } from '../config/config.ts'
import { parseConfig } from '../config/config-file.ts'
import { readSource } from '../config/config-source.ts'
import { problemText } from '../config/problem.ts'

const HELP = `limpet token: short-lived tokens, made of the secrets of a file

  limpet token debug [--pool NAME] [--ttl 5m] [FILE]
  limpet token pin --backend POOL/BACKEND [--ttl 10m] [FILE]

  curl -si -H "Limpet-Debug: $(limpet token debug)" http://127.0.0.1:8080/

debug prints a token for the request field Limpet-Debug. The response to a
request with it has the decision in Limpet-Decision, as JSON: keys, candidates,
attempts. Each holder of the token may ask, so its time is short. The token is
of one pool. No gateway is asked, and the tokens of all secrets of the file are
accepted.

pin prints a token for the request field Limpet-Pin, or for the cookie
limpet-pin in a browser. A request with it goes to this backend, while it drains
and in maintenance, too. The session of the client stays as it is.

  FILE            default: limpet.yaml
  --pool NAME     the pool of debug; needed where the file has several
  --backend NAME  the backend of pin, as web/web1
  --ttl TIME      how long the token is accepted, from 1s to 1d; default: 5m for
                  debug, 10m for pin
  --help          prints this

Exit codes: 0 the token is printed, 1 an error.
`

const OPTIONS = {
  pool: { type: 'string' },
  backend: { type: 'string' },
  ttl: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const DEFAULT_FILE = 'limpet.yaml'

/**
 * Runs `limpet token`.
 * @param args behind `token`
 * @returns the exit code
 */
export function runToken(args: readonly string[], terminal: Terminal): number {
  try {
    const { values, positionals } = parseFlags(args, OPTIONS)
    if (values.help) {
      terminal.out(HELP)
      return 0
    }
    const [kind, file = DEFAULT_FILE, ...more] = positionals
    if ((kind !== 'debug' && kind !== 'pin') || more.length > 0)
      throw new UsageError('it takes debug or pin, and a file')
    terminal.out(`${kind === 'debug' ? debugTokenOf(file, values) : pinOf(file, values)}\n`)
    return 0
  } catch (error) {
    if (error instanceof UsageError)
      terminal.error(`limpet token: ${error.message}\nlimpet token --help lists the arguments\n`)
    else if (error instanceof OptionError)
      terminal.error(`limpet token: --${error.message.replace(/^option /, '')}\n`)
    else if (error instanceof ConfigError)
      terminal.error(
        `limpet token: the file has a problem\n${error.problems.map(problem => `  ${problemText(problem)}\n`).join('')}`,
      )
    else throw error
    return 1
  }
}

interface Flags {
  readonly pool?: string | undefined
  readonly backend?: string | undefined
  readonly ttl?: string | undefined
}

function debugTokenOf(file: string, { pool, backend, ttl = '5m' }: Flags): string {
  if (backend !== undefined) throw new UsageError('--backend is a flag of limpet token pin')
  const { name, options } = poolOf(file, pool)
  return debugTokens(name, parseSecrets(options.secrets)).make({ ttl: ttl as '5m' })
}

function pinOf(file: string, { pool, backend = '', ttl = '10m' }: Flags): string {
  if (pool !== undefined)
    throw new UsageError('--pool is a flag of limpet token debug; --backend takes POOL/BACKEND')
  const [, of, id] = /^([\w-]+)\/([\w-]+)$/.exec(backend) ?? []
  if (of === undefined || id === undefined) throw new UsageError('--backend takes a backend as POOL/BACKEND')
  const { name, options } = poolOf(file, of)
  const { backends = [], discovery } = options
  // A backend that discovery finds, or an operator adds, is not in the file.
  if (discovery === undefined && !backends.some(one => one.id === id))
    throw new UsageError(
      `pool ${name} has no backend ${id}; it has ${backends.map(one => one.id).join(', ')}`,
    )
  return pinToken(name, parseSecrets(options.secrets), { backend: id, ttl: ttl as '10m' })
}

/** @throws UsageError for a pool that there is not @throws ConfigError for a file with problems */
function poolOf(file: string, name: string | undefined): PoolConfig {
  const { pools, randomSecret } = parseConfig(readSource(file))
  const names = pools.map(pool => pool.name).join(', ')
  const [first, ...others] = pools
  if (name === undefined && others.length > 0)
    throw new UsageError(`${file} has several pools; --pool names one of ${names}`)
  const pool = name === undefined ? first : pools.find(one => one.name === name)
  if (pool === undefined)
    throw new UsageError(`there is no pool ${name ?? ''} in ${file}; there are ${names}`)
  if (pool.options.secrets?.includes(randomSecret) === true)
    throw new UsageError(
      `${file} has no secrets, so each start of the gateway has another; set secrets first`,
    )
  return pool
}
