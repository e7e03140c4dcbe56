import { OptionError } from '@limpet/core'
import { debugTokens } from '@limpet/core/adapter'
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

  curl -si -H "Limpet-Debug: $(limpet token debug)" http://127.0.0.1:8080/

debug prints a token for the request field Limpet-Debug. The response to a request with it has the decision in
Limpet-Decision, as JSON: keys, candidates, attempts. Each holder of the token may ask, so its time is short.
The token is of one pool. No gateway is asked, and the tokens of all secrets of the file are accepted.

  FILE           default: limpet.yaml
  --pool NAME    the pool; needed where the file has several
  --ttl TIME     how long the token is accepted, from 1s to 1d; default: 5m
  --help         prints this

Exit codes: 0 the token is printed, 1 an error.
`

const OPTIONS = {
  pool: { type: 'string' },
  ttl: { type: 'string', default: '5m' },
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
    if (kind !== 'debug' || more.length > 0) throw new UsageError('it takes debug, and a file')
    const { name, options } = poolOf(file, values.pool)
    const { secrets } = options
    terminal.out(`${debugTokens(name, parseSecrets(secrets)).make({ ttl: values.ttl as '5m' })}\n`)
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
