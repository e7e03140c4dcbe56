import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type AdapterName, ConfigError, type GatewayConfig } from './config/config.ts'
import { parseConfig } from './config/config-file.ts'
import { readSource } from './config/config-source.ts'
import { problemText } from './config/problem.ts'
import { runProcess } from './process.ts'
import { schemaText } from './config/schema.ts'
import { runWorker } from './workers/worker.ts'
import { runWorkers } from './workers/workers.ts'

const HELP = `limpet: a gateway with session affinity

  limpet --config limpet.yaml [--adapter fastify|express|koa] [--pretty]
  limpet check --config limpet.yaml
  limpet schema
  limpet health [--url http://127.0.0.1:8404]
  limpet kill-test SCENARIO.yaml --url http://127.0.0.1:8080
  limpet from nginx.conf | haproxy.cfg | traefik.yaml | Caddyfile | ingress.yaml
  limpet --help, --version

check lists the problems of a file, and schema prints its JSON Schema, for editors. health asks a
running gateway whether it is ready; limpet health --help says more. kill-test
shows what happens to users when a backend is killed; limpet kill-test --help lists its options. from
makes a limpet file of another server's configuration; limpet from --help says more.
SIGTERM and SIGINT finish the requests in flight and end; SIGHUP reloads the file.
`

const WORDS = ['check', 'schema'] as const
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
  if (args[0] === 'from') {
    // Loaded on demand: only it reads the files of other servers.
    const { runFrom } = await import('./moving-in/command.ts')
    return runFrom(args.slice(1), terminal)
  }
  const parsed = parse(args)
  if (typeof parsed === 'string') {
    terminal.error(`limpet: ${parsed}\n\n${HELP}`)
    return 1
  }
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
  const { config: file, adapter, word } = parsed
  const isCheck = word === 'check'
  try {
    if (cluster.isWorker) return await runWorker(parsed.pretty)
    const config = parseConfig(readSource(file, adapter))
    for (const warning of isCheck ? config.warnings : []) terminal.error(`${file}: ${warning}\n`)
    if (isCheck) {
      terminal.out(`${file} is good: ${config.pools.length} pools, ${config.routes.length} routes\n`)
      return 0
    }
    const reread = (): GatewayConfig => parseConfig(readSource(file, adapter))
    return await (config.workers > 1 ? runWorkers : runProcess)(config, parsed.pretty, reread)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { problems } = error
    const many = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    terminal.error(
      `limpet: ${file} has ${many}\n${problems.map(problem => `  ${problemText(problem)}\n`).join('')}`,
    )
    return 1
  }
}

interface Parsed {
  readonly help: boolean
  readonly version: boolean
  readonly pretty: boolean
  readonly word: 'check' | 'schema' | undefined
  readonly config: string
  readonly adapter: AdapterName | undefined
}

/** The parsed arguments, or the problem with them. */
function parse(args: readonly string[]): Parsed | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string', short: 'c', default: '' },
        adapter: { type: 'string' },
        pretty: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
      },
    })
    const adapter = ADAPTERS.find(name => name === values.adapter)
    if (values.adapter !== undefined && adapter === undefined)
      return `--adapter got "${values.adapter}"; it takes ${ADAPTERS.join(', ')}`
    const word = WORDS.find(one => one === positionals[0])
    if (positionals.length > (word === undefined ? 0 : 1))
      return `there is no command ${positionals.join(' ')}`
    if (values.config === '' && word !== 'schema' && !values.help && !values.version)
      return '--config is missing'
    return { ...values, adapter, word }
  } catch (error) {
    return (error as Error).message
  }
}

function version(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
