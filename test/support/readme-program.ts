import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { ProgramProcess, type ProgramFile } from './program-process.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** From here `@limpet/…` and `fastify` are found as a user's program finds them. */
const FOLDER = join(HERE, '../node_modules/.cache/readme')
const TSC = join(HERE, '../../node_modules/.bin/tsc')

const SECRET = 'a-secret-of-the-readme-0123456789abcdef'

type Line = readonly [name: string, line: string]

/**
 * Names that a fragment may use without making them, in this order: it continues a program that the reader has seen.
 * A snippet that imports or declares the name itself gets none of it.
 */
const PROVIDED: readonly Line[] = [
  ['readFileSync', "import { readFileSync } from 'node:fs'"],
  ['createServer', "import { createServer } from 'node:http'"],
  ['buffer', "import { buffer } from 'node:stream/consumers'"],
  ['Socket', "import type { Socket } from 'node:net'"],
  ['subscribe', "import { subscribe } from 'node:diagnostics_channel'"],
  ['isAffinityError', "import { isAffinityError } from '@limpet/core'"],
  ['onEvent', "import { onEvent } from '@limpet/core'"],
  ['createAffinity', "import { createAffinity } from '@limpet/core'"],
  ...['refuseUpgrade', 'createHttpProxy', 'guardServer', 'SERVER_OPTIONS', 'writeResponse'].map(
    (name): Line => [name, `import { ${name} } from '@limpet/http-proxy'`],
  ),
]

/** The same, of what each framework has; the root's README speaks of Fastify. */
const OF_FRAMEWORK: Readonly<Record<string, readonly Line[]>> = {
  fastify: [
    ['FastifyError', "import type { FastifyError } from 'fastify'"],
    ['FastifyRequest', "import type { FastifyRequest } from 'fastify'"],
    ['acceptAnyBody', "import { acceptAnyBody } from '@limpet/fastify'"],
    ['limpet', "import { limpet } from '@limpet/fastify'"],
    ['gatewayServerOptions', "import { gatewayServerOptions } from '@limpet/fastify'"],
    ['httpProxy', "import httpProxy from '@fastify/http-proxy'"],
    ['Fastify', "import Fastify from 'fastify'"],
    ['app', 'const app = Fastify(gatewayServerOptions())'],
  ],
  express: [
    ...['refuseUpgrade', 'guardServer', 'limpet', 'SERVER_OPTIONS'].map((name): Line => [
      name,
      `import { ${name} } from '@limpet/express'`,
    ]),
    ['createProxyMiddleware', "import { createProxyMiddleware } from 'http-proxy-middleware'"],
    ['Request', "import type { Request } from 'express'"],
    ['express', "import express from 'express'"],
    ['app', 'const app = express()'],
  ],
  koa: [
    ['bodyParser', "import { bodyParser } from '@koa/bodyparser'"],
    ...['refuseUpgrade', 'guardServer', 'limpet', 'SERVER_OPTIONS'].map((name): Line => [
      name,
      `import { ${name} } from '@limpet/koa'`,
    ]),
    ['Koa', "import Koa from 'koa'"],
    ['app', 'const app = new Koa()'],
  ],
}

const MADE: readonly Line[] = [
  ['secrets', 'const secrets = [process.env.LIMPET_SECRET!]'],
  [
    'backends',
    "const backends = [{ id: 'app1', url: 'http://127.0.0.1:3001' }, { id: 'app2', url: 'http://127.0.0.1:3002' }]",
  ],
  ['affinity', 'const affinity = createAffinity({ secrets, backends })'],
  ['proxy', 'const proxy = createHttpProxy({ secrets, backends })'],
]

/** The snippet as a program: what it takes for granted before it, then `tail`, and `listen` where it continues a gateway. */
function programOf(key: string, code: string, tail: string): string {
  const framework = /^(?:packages\/)?(express|koa)\b/.exec(key)?.[1] ?? 'fastify'
  let body = `${code}\n${tail}`
  for (const [name, line] of [...PROVIDED, ...(OF_FRAMEWORK[framework] ?? []), ...MADE].toReversed()) {
    const uses = new RegExp(`(?<![\\w'@/-])(?<!(?<!\\.\\.)\\.)${name}(?![\\w'-])(?!: )`)
    const makes = new RegExp(`^ *(?:export )?(?:(?:import|const)\\b[^='\\n]*\\b|function )${name}\\b`, 'm')
    const flat = body.replaceAll(/^import \{[^}]*\}/gm, list => list.replaceAll('\n', ' '))
    if (uses.test(body) && !makes.test(flat)) {
      body = `${line}\n${body}`
      if (name === 'app' && !body.includes('server.listen')) body += '\nawait app.listen({ port: 8080 })'
    }
  }
  return `${body}\nexport {}\n`
}

export interface Source {
  readonly key: string
  readonly code: string
  /** Continues the snippet, to show that it does what it says. */
  readonly tail?: string | undefined
}

/** Type-checks the programs as a strict user would, and compiles them. @throws what tsc has to say */
export function compile(sources: readonly Source[]): void {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  for (const { key, code, tail = '' } of sources)
    writeFileSync(join(FOLDER, `${fileName(key)}.ts`), programOf(key, code, tail))
  const compilerOptions = {
    composite: false,
    declaration: false,
    sourceMap: false,
    inlineSources: false,
    outDir: 'out',
  }
  const config = { extends: '../../../../tsconfig.base.json', compilerOptions, include: ['*.ts'] }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(FOLDER, 'package.json'), '{ "type": "module" }')
  cpSync(join(HERE, 'tls/certificate.pem'), join(FOLDER, 'ca.pem'))
  try {
    execFileSync(TSC, ['-p', FOLDER], { encoding: 'utf8' })
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout, { cause: error })
  }
}

function fileName(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9]+/g, '-').toLowerCase()
}

/** Ports that stand in a README, and those that the test has in their place. */
export type Ports = Readonly<Record<number, number>>

/** A program with these has a process of its own: signals, exits, subscriptions and globals are those of a process. */
const OF_PROCESS = /\bprocess\.(?!env\b)|\bglobalThis\b|\bsubscribe\(|\bonEvent\(/

/** Processes for the other programs: one for those that listen, and one for those that end. */
const shared = new Map<string, ProgramProcess>()

/**
 * Runs a compiled program. Only ports are put in: each of `ports`, and for 8080 a free one of 127.0.0.1.
 * Settles when it listens there, or when it has ended.
 */
export async function run(key: string, ports: Ports): Promise<Program> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const port = await freePort()
  const code = withPorts(readFileSync(join(FOLDER, `out/${fileName(key)}.js`), 'utf8'), ports)
  const path = join(FOLDER, `out/${fileName(key)}.run.js`)
  writeFileSync(path, code.replaceAll('port: 8080', `port: ${port}, host: '127.0.0.1'`))
  const file: ProgramFile = {
    path,
    cwd: FOLDER,
    env: { PATH, NODE_COMPILE_CACHE, LIMPET_SECRET: SECRET },
    port: code.includes('port: 8080') ? port : undefined,
  }
  const program = OF_PROCESS.test(code) ? startAlone(file) : startShared(file)
  await program.settled(file)
  return {
    port,
    get out() {
      return program.out
    },
    end: () => program.end('SIGTERM'),
  }
}

function startAlone(file: ProgramFile): ProgramProcess {
  const program = ProgramProcess.alone(file)
  onTestFinished(async () => void (await program.end('SIGKILL')))
  return program
}

function startShared(file: ProgramFile): ProgramProcess {
  const kind = file.port === undefined ? 'ends' : 'listens'
  let program = shared.get(kind)
  if (program === undefined || program.isOver) program = ProgramProcess.shared(file)
  shared.set(kind, program)
  program.next(file)
  return program
}

/** Ends the processes that programs share. */
export async function endPrograms(): Promise<void> {
  for (const program of shared.values()) await program.end('SIGKILL')
  shared.clear()
}

export function withPorts(text: string, ports: Ports): string {
  return text.replaceAll(/(?<=127\.0\.0\.1:)\d+/g, port => String(ports[Number(port)] ?? port))
}

export interface Program {
  readonly port: number
  /** Its output so far. */
  readonly out: string
  /** Asks it to end, and settles with its exit code when it has. */
  end(this: void): Promise<number | null>
}
