import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'
import { Admin } from './admin/admin.ts'
import { type AdapterName, ConfigError, type GatewayConfig, readConfig } from './config.ts'
import { logEvents } from './event-log.ts'
import { Gateway } from './gateway.ts'
import { PoolStats } from './pool-stats.ts'
import { problemText } from './problems.ts'
import { jsonSchema } from './schema.ts'

const HELP = `limpet: a gateway that brings every session home

  limpet --config limpet.yaml [--adapter fastify|express|koa] [--pretty]
  limpet check --config limpet.yaml
  limpet schema
  limpet --help, --version

check says what is wrong with a file, and schema prints its JSON Schema, for editors.
SIGTERM and SIGINT finish what is in flight and end; SIGHUP reads the file again.
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
    terminal.out(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
    return 0
  }
  const { config: file, adapter, word } = parsed
  const isCheck = word === 'check'
  try {
    const config = readConfig(file, adapter)
    for (const warning of isCheck ? config.warnings : []) terminal.error(`${file}: ${warning}\n`)
    if (isCheck) {
      terminal.out(`${file} is good: ${config.pools.length} pools, ${config.routes.length} routes\n`)
      return 0
    }
    return await serve(config, parsed.pretty, () => readConfig(file, adapter))
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

/** What was asked for, or what is wrong with it. */
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

async function serve(config: GatewayConfig, isPretty: boolean, reread: () => GatewayConfig): Promise<number> {
  const log = pino(
    { level: config.log.level, base: null },
    isPretty ? pretty() : pino.destination({ fd: 1, sync: true }),
  )
  for (const warning of config.warnings) log.warn({ event: 'warning' }, warning)
  const stats = new PoolStats()
  const silence = logEvents(log)
  let gateway: Gateway
  let admin: Admin | undefined
  try {
    gateway = await Gateway.start(config, log)
    admin = config.admin && (await startAdmin(gateway, stats, config.admin))
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    log.fatal({ event: 'not_started', code }, message)
    return 1
  }
  log.info({
    event: 'listening',
    url: gateway.url,
    port: gateway.port,
    adminPort: admin?.port,
    adapter: config.adapter,
    pools: config.pools.map(({ name }) => name),
  })
  const code = await untilSignalled(log, gateway, reread)
  await admin?.close()
  silence()
  stats.close()
  log.info({ event: 'ended', code })
  return code
}

async function startAdmin(
  gateway: Gateway,
  stats: PoolStats,
  config: NonNullable<GatewayConfig['admin']>,
): Promise<Admin> {
  try {
    return await Admin.start(gateway, stats, config)
  } catch (error) {
    await gateway.close()
    throw error
  }
}

/** Runs until it is told to end, and gives the exit code. */
async function untilSignalled(log: Logger, gateway: Gateway, reread: () => GatewayConfig): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  function end(signal: string, code: number): void {
    if (gateway.isClosing) {
      log.warn({ event: 'ending_at_once', signal })
      resolve(1)
      return
    }
    log.info({ event: 'ending', signal })
    gateway.close().then(
      () => resolve(code),
      (error: unknown) => {
        log.error({ event: 'ending_failed', err: error })
        resolve(1)
      },
    )
  }
  const reload = (): void => {
    reloadFrom(log, gateway, reread).catch((error: unknown) =>
      log.error({ event: 'reload_failed', err: error }),
    )
  }
  // What is wrong in this process cannot be known, so it takes nobody new.
  const uncaught = (error: unknown): void => {
    log.fatal({ event: 'uncaught', err: error })
    end('uncaught', 1)
  }
  const onTerm = (): void => end('SIGTERM', 0)
  const onInt = (): void => end('SIGINT', 0)
  process.on('SIGTERM', onTerm).on('SIGINT', onInt).on('SIGHUP', reload).on('uncaughtException', uncaught)
  const code = await promise
  process.off('SIGTERM', onTerm).off('SIGINT', onInt).off('SIGHUP', reload).off('uncaughtException', uncaught)
  return code
}

async function reloadFrom(log: Logger, gateway: Gateway, reread: () => GatewayConfig): Promise<void> {
  try {
    const changed = await gateway.reload(reread())
    log.info({ event: 'reloaded', changed })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    log.error(
      { event: 'reload_refused', problems: error.problems.map(problemText) },
      'the file is refused, and nothing has changed',
    )
  }
}
