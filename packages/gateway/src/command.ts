import cluster from 'node:cluster'
import { existsSync, readFileSync } from 'node:fs'
import { hint, parseFlags } from './cli/flags.ts'
import { UsageError } from './cli/usage-error.ts'
import { proxySource } from './cli/proxy.ts'
import { type AdapterName, ConfigError, type ConfigSource, type GatewayConfig } from './config/config.ts'
import { parseConfig } from './config/config-file.ts'
import { readSource } from './config/config-source.ts'
import { problemText } from './config/problem.ts'
import { runProcess } from './process.ts'
import { OPERATOR_VERBS } from './operator/verbs.ts'
import { schemaText } from './config/schema.ts'
import { runWorker } from './workers/worker.ts'
import { runWorkers } from './workers/workers.ts'

const HELP = `limpet: a gateway with session affinity

  limpet [--config limpet.yaml] [--adapter fastify|express|koa] [--pretty]
  limpet check [--config limpet.yaml] [--without-secrets]
  limpet init
  limpet proxy --from :8080 --to 127.0.0.1:3001,127.0.0.1:3002 [--pretty]
  limpet schema
  limpet health [--url http://127.0.0.1:8404]
  limpet status | top | drain | ready | maint | weight [POOL/BACKEND]
  limpet kill-test SCENARIO.yaml --url http://127.0.0.1:8080
  limpet from nginx.conf | haproxy.cfg | traefik.yaml | Caddyfile | ingress.yaml
  limpet --help, --version

Without --config the file is limpet.yaml in the current folder.

check lists the problems of a file, and settings that are often a mistake. With --without-secrets a variable
or a file of a secret may be missing. init asks four questions and writes a file; limpet init --help says more.
proxy needs no file: it keeps sessions by a cookie, signed with LIMPET_SECRET where the environment has it.
schema prints the JSON Schema of the file, for editors. health asks a
running gateway whether it is ready; limpet health --help says more. status and the commands beside it look at
a running gateway and change its backends; limpet drain --help says more. kill-test
shows what happens to users when a backend is killed; limpet kill-test --help lists its options. from
makes a limpet file of another server's configuration; limpet from --help says more.
SIGTERM and SIGINT finish the requests in flight and end; SIGHUP reloads the file.
`

/** The file of a command line without --config. */
const DEFAULT_FILE = 'limpet.yaml'
const WORDS = ['check', 'schema', 'proxy'] as const
/** Commands with flags of their own. */
const OTHER_WORDS = ['init', 'health', 'kill-test', 'from', ...OPERATOR_VERBS] as const
const ADAPTERS: readonly AdapterName[] = ['fastify', 'express', 'koa']

/** Where a command is run. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
}

/**
 * Runs a command.
 * @param args without the program's name
 * @returns the exit code; for a gateway when it has ended
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args[0] === 'kill-test') {
    // Loaded on demand: a gateway does not need its clients.
    const { runKillTest } = await import('./kill-test/command.ts')
    return runKillTest(args.slice(1), terminal)
  }
  if (args[0] === 'health') {
    // Loaded on demand: a gateway does not need it.
    const { runHealth } = await import('./admin/health-command.ts')
    return runHealth(args.slice(1), terminal)
  }
  const verb = OPERATOR_VERBS.find(one => one === args[0])
  if (verb !== undefined) {
    // Loaded on demand: a gateway does not need it.
    const { runOperator } = await import('./operator/command.ts')
    return runOperator(verb, args.slice(1), terminal)
  }
  if (args[0] === 'from') {
    // Loaded on demand: only it reads the files of other servers.
    const { runFrom } = await import('./moving-in/command.ts')
    return runFrom(args.slice(1), terminal)
  }
  if (args[0] === 'init') {
    // Loaded on demand: a gateway asks no questions.
    const { runInit } = await import('./cli/init.ts')
    return runInit(args.slice(1), { ...terminal, input: process.stdin })
  }
  try {
    return await runParsed(parse(args), terminal)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.error(`limpet: ${error.message}\nlimpet --help lists the commands and flags\n`)
    return 1
  }
}

async function runParsed(parsed: Parsed, terminal: Terminal): Promise<number> {
  if (parsed.help) {
    terminal.out(HELP)
    return 0
  }
  if (parsed.version) {
    terminal.out(`${version()}\n`)
    return 0
  }
  if (parsed.word === 'schema') {
    terminal.out(schemaText())
    return 0
  }
  const { pretty } = parsed
  if (cluster.isWorker) return runWorker(pretty)
  const source = sourceReader(parsed)
  try {
    if (parsed.word === 'check') return check(parsed, terminal)
    const config = parseConfig(source())
    const reread = (): GatewayConfig => parseConfig(source())
    return await (config.workers > 1 ? runWorkers : runProcess)(config, pretty, reread)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { problems } = error
    const many = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    const name = parsed.word === 'proxy' ? 'the configuration of limpet proxy' : parsed.config
    terminal.error(
      `limpet: ${name} has ${many}\n${problems.map(problem => `  ${problemText(problem)}\n`).join('')}`,
    )
    return 1
  }
}

/** Reads the file anew each time; `limpet proxy` has none. */
function sourceReader({ word, config, adapter, from, to }: Parsed): () => ConfigSource {
  if (word !== 'proxy') return () => readSource(config, adapter)
  const source = proxySource({ from, to }, adapter)
  return () => source
}

/** @throws ConfigError for a file with problems */
function check({ config: file, adapter, withoutSecrets }: Parsed, { out, error }: Terminal): number {
  const { pools, routes, warnings, advice } = parseConfig(readSource(file, adapter), { withoutSecrets })
  for (const warning of [...warnings, ...advice]) error(`${file}: ${warning}\n`)
  out(`${file} is good: ${pools.length} pools, ${routes.length} routes\n`)
  return 0
}

interface Parsed {
  readonly help: boolean
  readonly version: boolean
  readonly pretty: boolean
  readonly word: (typeof WORDS)[number] | undefined
  readonly config: string
  readonly adapter: AdapterName | undefined
  readonly withoutSecrets: boolean
  readonly from: string | undefined
  readonly to: readonly string[] | undefined
}

/** @throws UsageError */
function parse(args: readonly string[]): Parsed {
  const { values, positionals } = parseFlags(args, {
    config: { type: 'string', short: 'c' },
    adapter: { type: 'string' },
    pretty: { type: 'boolean', default: false },
    'without-secrets': { type: 'boolean', default: false },
    from: { type: 'string' },
    to: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h', default: false },
    version: { type: 'boolean', short: 'v', default: false },
  })
  const { config = DEFAULT_FILE, from, to, help, pretty } = values
  const adapter = ADAPTERS.find(name => name === values.adapter)
  if (values.adapter !== undefined && adapter === undefined)
    throw new UsageError(`--adapter got "${values.adapter}"${hint(values.adapter, ADAPTERS)}`)
  const [given, ...more] = positionals
  const word = WORDS.find(one => one === given)
  if (given !== undefined && word === undefined)
    throw new UsageError(`there is no command ${given}${hint(given, [...WORDS, ...OTHER_WORDS])}`)
  if (more.length > 0) throw new UsageError(`there is no command ${positionals.join(' ')}`)
  if (word !== 'proxy' && (from !== undefined || to !== undefined))
    throw new UsageError('--from and --to are flags of limpet proxy')
  if (word !== 'check' && values['without-secrets'])
    throw new UsageError('--without-secrets is a flag of limpet check')
  if (word === 'proxy' && values.config !== undefined)
    throw new UsageError('limpet proxy takes no --config: it needs no file')
  const needsFile = (word === undefined || word === 'check') && !help && !values.version
  // A worker gets the text from its parent.
  if (!cluster.isWorker && needsFile && values.config === undefined && !existsSync(DEFAULT_FILE))
    throw new UsageError(
      `there is no ${DEFAULT_FILE} in this folder; --config FILE names another one, and limpet init writes one`,
    )
  return {
    help,
    version: values.version,
    pretty,
    word,
    config,
    adapter,
    withoutSecrets: values['without-secrets'],
    from,
    to,
  }
}

function version(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
