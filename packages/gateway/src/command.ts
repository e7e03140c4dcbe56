import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { type Arguments, parseArguments } from './cli/arguments.ts'
import type { Terminal } from './cli/terminal.ts'
import { UsageError } from './cli/usage-error.ts'
import { VERBS } from './cli/verbs.ts'
import { ConfigError } from './config/config.ts'
import { problemText } from './config/problem.ts'

const HELP = `limpet: a gateway with session affinity

  limpet [--config limpet.yaml] [--adapter fastify|express|koa]
         [--pretty] [--watch]
  limpet check [FILE] [--without-secrets]
  limpet init
  limpet proxy --from :8080 --to 127.0.0.1:3001,127.0.0.1:3002 [--pretty]
  limpet schema
  limpet health [--url http://127.0.0.1:8404]
  limpet explain --cookie VALUE | --request FILE
  limpet token debug [--pool NAME] | pin --backend POOL/BACKEND
  limpet status | top | drain | ready | maint | weight [POOL/BACKEND]
  limpet kill-test SCENARIO.yaml --url http://127.0.0.1:8080
  limpet from nginx.conf | haproxy.cfg | traefik.yaml | Caddyfile | ingress.yaml
  limpet --help, --version

Without --config the file is limpet.yaml in the current folder.

  check      lists the problems of a file, and settings that are often a
             mistake. With --without-secrets a variable or a file of a secret
             may be missing.
  init       asks four questions and writes a file.
  proxy      needs no file. It keeps sessions by a cookie, signed with
             LIMPET_SECRET where the environment has it.
  schema     prints the JSON Schema of the file, for editors.
  health     asks a running gateway whether it is ready.
  explain    tells why a request gets its backend.
  token      makes a token by which a request asks for its decision, or goes to
             one backend.
  status     lists the backends of a running gateway; the commands beside it
             change them.
  kill-test  shows what happens to users when a backend is killed.
  from       makes a limpet file of another server's configuration.

init, health, explain, token, status, kill-test and from have a --help of their
own, as limpet init --help.

SIGTERM and SIGINT finish the requests in flight and end. SIGHUP reloads the
file, and so does a change of it with --watch.
`

/**
 * Runs a command.
 * @param args without the program's name
 * @returns the exit code; for a gateway when it has ended
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first = '', ...rest] = args
  const load = VERBS.get(first)
  if (load !== undefined) {
    const runVerb = await load()
    return runVerb(rest, terminal)
  }
  try {
    return await runArguments(parseArguments(args), terminal)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.error(`limpet: ${error.message}\nlimpet --help lists the commands and flags\n`)
    return 1
  }
}

/** Each verb loads only its own modules: a gateway with one process, for example, loads nothing of workers. */
async function runArguments(parsed: Arguments, terminal: Terminal): Promise<number> {
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
  if (parsed.word !== 'check') {
    const { boundYoungGeneration } = await import('./young-generation.ts')
    boundYoungGeneration()
  }
  if (cluster.isWorker) {
    const { runWorker } = await import('./workers/worker.ts')
    return runWorker(parsed.pretty)
  }
  try {
    if (parsed.word === 'check') {
      const { check } = await import('./cli/check.ts')
      return check(parsed, terminal)
    }
    const { serve } = await import('./cli/serve.ts')
    return await serve(parsed)
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

function version(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}

/** The JSON Schema for editors: that of the tables with their doc comments, as the package has it in a file. */
function schemaText(): string {
  return readFileSync(new URL('../schema.json', import.meta.url), 'utf8')
}
