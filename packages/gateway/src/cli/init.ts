import { existsSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { ConfigError } from '../config/config.ts'
import { parseConfig } from '../config/config-file.ts'
import { problemText } from '../config/problem.ts'
import { backendsOf, listenOf } from './endpoints.ts'
import { hint, parseOnlyFlags } from './flags.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { type InitAnswers, initFile, METHODS, SET_SECRET } from './init-file.ts'

const HELP = `limpet init: writes a configuration file with comments

  limpet init
  limpet init --listen 127.0.0.1:8080 --to 127.0.0.1:3001,127.0.0.1:3002 \\
    --sessions cookie --health /health

It asks four questions. A flag answers its question, and --yes takes the
defaults of the others.

  --listen ADDRESS   the address for clients; default: 127.0.0.1:8080
  --to LIST          the backends; default: 127.0.0.1:3001,127.0.0.1:3002
  --sessions METHOD  cookie, learn (by the application's cookie), address or
                     none; default: cookie
  --cookie NAME      the application's cookie, for learn; default: sid
  --health PATH      the path of a health check, or none; default: /health
  --out FILE         default: limpet.yaml
  --force            writes over a file that exists
  --yes              asks no question
  --help             prints this

Exit codes: 0 the file is written, 1 it is not.
`

const OPTIONS = {
  listen: { type: 'string' },
  to: { type: 'string' },
  sessions: { type: 'string' },
  cookie: { type: 'string', default: 'sid' },
  health: { type: 'string' },
  out: { type: 'string', short: 'o', default: 'limpet.yaml' },
  force: { type: 'boolean', default: false },
  yes: { type: 'boolean', short: 'y', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @param args behind `init` @param input the answers @returns the exit code */
export async function runInit(
  args: readonly string[],
  terminal: Terminal,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<number> {
  try {
    const values = parseOnlyFlags(args, OPTIONS)
    if (values.help) {
      terminal.out(HELP)
      return 0
    }
    const { out, force } = values
    // Before the questions: the answers would be lost.
    if (!force && existsSync(out)) throw new UsageError(`${out} exists; --force overwrites it`)
    const given = await answers(values, questions(values.yes, terminal, input))
    const text = initFile(given)
    check(out, text)
    write(out, text, force)
    terminal.out(`${out} is written.\n`)
    if (given.method === 'cookie') terminal.out(`Make its secret, and keep it: ${SET_SECRET}\n`)
    terminal.out(`Check it: limpet check --config ${out}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.error(`limpet init: ${error.message}\n`)
    return 1
  }
}

interface Flags {
  readonly listen?: string | undefined
  readonly to?: string | undefined
  readonly sessions?: string | undefined
  readonly cookie: string
  readonly health?: string | undefined
}

async function answers(flags: Flags, ask: Questions): Promise<InitAnswers> {
  try {
    const listen = listenOf(
      '--listen',
      flags.listen ?? (await ask.question('The address for clients', '127.0.0.1:8080')),
    )
    const backends = backendsOf(
      '--to',
      flags.to ?? (await ask.question('The backends, with commas', '127.0.0.1:3001,127.0.0.1:3002')),
    )
    const method = methodOf(
      flags.sessions ?? (await ask.question('Sessions by cookie, learn, address or none', 'cookie')),
    )
    const health = pathOf(
      flags.health ?? (await ask.question('The path of a health check, or none', '/health')),
    )
    return { listen, backends, method, cookie: cookieOf(flags.cookie), health }
  } finally {
    ask.close()
  }
}

interface Questions {
  question(text: string, fallback: string): Promise<string>
  close(): void
}

/** Asks line by line. At the end of the input, and with `--yes`, each answer is the default. */
function questions(isSilent: boolean, { out }: Terminal, input: NodeJS.ReadableStream): Questions {
  if (isSilent) return { question: async (_text, fallback) => fallback, close: () => undefined }
  const reader = createInterface({ input })
  const lines = reader[Symbol.asyncIterator]()
  return {
    async question(text, fallback) {
      out(`${text} [${fallback}]: `)
      const { value, done } = await lines.next()
      const answer = done === true ? '' : value.trim()
      return answer === '' ? fallback : answer
    },
    close: () => reader.close(),
  }
}

function methodOf(text: string): InitAnswers['method'] {
  const method = METHODS.find(one => one === text)
  if (method === undefined) throw new UsageError(`--sessions takes another word${hint(text, METHODS)}`)
  return method
}

function pathOf(text: string): string | undefined {
  if (text === 'none') return undefined
  if (!/^\/[!-~]*$/.test(text)) throw new UsageError('--health takes a path that begins with /, or none')
  return text
}

function cookieOf(name: string): string {
  // YAML reads other tokens as numbers or lists.
  if (!/^[A-Za-z_][\w.-]*$/.test(name))
    throw new UsageError('--cookie takes the name of a cookie, as JSESSIONID')
  return name
}

/** The file is good, or an answer was not. */
function check(file: string, text: string): void {
  try {
    parseConfig({ file, text, adapter: undefined, kept: undefined }, { withoutSecrets: true })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new UsageError(`the answers do not fit: ${error.problems.map(problemText).join('; ')}`, {
      cause: error,
    })
  }
}

function write(file: string, text: string, force: boolean): void {
  try {
    writeFileSync(file, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw new UsageError(
      code === 'EEXIST' ? `${file} exists; --force overwrites it` : `${file} cannot be written (${code})`,
      { cause: error },
    )
  }
}
