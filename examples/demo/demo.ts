import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { relative } from 'node:path'
import { styleText } from 'node:util'
import type { FailedEvent, Pool, RedispatchedEvent } from '@limpet/core'
import { type Backends, startBackends } from './backends.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'
import { type Ports, portsFrom, portTrouble } from './ports.ts'

/** The definition of an example. */
export interface Demo {
  readonly title: string
  /** The program of a backend, and what each is called, with its number: shop1, shop2, shop3. */
  readonly backend: URL
  readonly name: string
  /** More variables of the backends' environment. */
  readonly env?: Readonly<Record<string, string>>
  startGateway(options: GatewayOptions): Promise<Gateway>
  /** Commands to try in another terminal. */
  lines(this: void, running: Running): string
  /** Whether the gateway signs anything, so that a secret of your own is worth having. */
  readonly signs: boolean
  /** The word for clients with a session at a backend. */
  readonly people: string
}

/** The addresses that the lines of an example mention. */
export interface Running {
  readonly url: string
  /** The process of the first backend. */
  readonly pid: number | undefined
}

/** Runs an example: three backends, the gateway before them, and a page of things to try; until Ctrl-C. */
export async function demo(shown: Demo): Promise<void> {
  let backends: Backends | undefined
  let gateway: Gateway | undefined

  let isStopping = false
  async function stop(exitCode: number): Promise<void> {
    // A terminal sends Ctrl-C to every process, and npm sends it on: it comes twice.
    if (isStopping) return
    isStopping = true
    // First the gateway: what is in flight there still needs the backends.
    await gateway?.close()
    await backends?.stop()
    process.exit(exitCode)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0))

  const portsVariable = `${shown.name.toUpperCase()}_PORTS`
  let ports: Ports | undefined
  try {
    ports = portsFrom(process.argv.slice(2), process.env, portsVariable)
    backends = await startBackends(shown.backend, shown.name, ports.backends, shown.env)
    const secret = process.env['LIMPET_SECRET']
    gateway = await shown.startGateway({
      port: ports.gateway,
      secret: secret ?? randomBytes(32).toString('hex'),
      backends: backends.members,
    })
    console.log(welcome(shown, gateway, backends, shown.signs && secret === undefined))
    tellWhatHappens(shown, backends, gateway.pool)
  } catch (error) {
    console.error(explained(error, ports, portsVariable))
    await stop(1)
  }
}

function welcome(
  { title, lines }: Demo,
  { url, page }: Gateway,
  { members, processes }: Backends,
  isForgetful: boolean,
): string {
  const rows = members.map(
    ({ id, url: at }, index) => `  ${id.padEnd(8)} ${at.padEnd(24)}  pid ${processes[index]?.pid}`,
  )
  const secret =
    'LIMPET_SECRET is not set, so the secret is a random one: a restart forgets who belongs where.'
  return `
${bold(`limpet: ${title}`)}

  open     ${bold(`${url}/`)}${page === undefined ? '' : `\n  operate  ${bold(page)}`}
${rows.join('\n')}

Try this in another terminal:

${lines({ url, pid: processes[0]?.pid })}
${isForgetful ? `${secret}\n` : ''}Ctrl-C ends all of it.
`
}

/** The rest of the terminal's lines: what the pool and the backends go through. */
function tellWhatHappens({ people }: Demo, { members, processes }: Backends, pool: Pool): void {
  for (const [index, child] of processes.entries()) {
    const id = members[index]?.id ?? ''
    child.on('message', () => {
      const state = pool.find(id)?.state === 'drain' ? 'ready' : 'drain'
      pool.setState(id, state)
      console.log(
        state === 'drain'
          ? `${id} drains: its ${people} stay, and new ones go elsewhere`
          : `${id} is ready again`,
      )
    })
    child.once('exit', (_code, signal) => {
      if (signal === 'SIGKILL') console.log(`${id} was killed: its ${people} move when they come back`)
    })
  }
  subscribe('limpet:failed', message => {
    console.log(`${(message as FailedEvent).backend} failed to respond`)
  })
  subscribe('limpet:redispatched', message => {
    const { backend, from } = message as RedispatchedEvent
    console.log(`a request moved from ${from} to ${backend}`)
  })
}

function explained(error: unknown, ports: Ports | undefined, portsVariable: string): unknown {
  if (!(error instanceof Error)) return error
  const { code, port } = error as { code?: unknown; port?: unknown }
  if (ports !== undefined && typeof port === 'number')
    return portTrouble(ports, port, code, portsVariable, command())
  // A wrong option of ours or of limpet's says in one line what is wrong; anything else is a mistake in this program.
  if (ports === undefined || code === 'ERR_INVALID_OPTION')
    return error.message.replace(/^option secrets\S+/, 'LIMPET_SECRET')
  return error
}

/** The command that started this. */
function command(): string {
  if (process.env['npm_lifecycle_event'] === 'start') return 'npm start'
  return `node ${relative(process.cwd(), process.argv[1] ?? '')}`
}

function bold(text: string): string {
  return styleText('bold', text)
}
