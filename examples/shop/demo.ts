import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { styleText } from 'node:util'
import type { FailedEvent, Pool } from '@limpet/core'
import { type Ports, portsFrom, portTrouble } from './ports.ts'
import { type Shop, startShop } from './shop.ts'

/** What an example shows. */
export interface Gateway {
  readonly url: string
  readonly pool: Pool
  /** Finishes what is in flight. */
  close(): Promise<void>
}

export type StartGateway = (options: {
  readonly port: number
  readonly secret: string
  readonly backends: Shop['backends']
}) => Promise<Gateway>

/** Runs an example: the three shops, the gateway before them, and a page of things to try; until Ctrl-C. */
export async function demo(framework: string, startGateway: StartGateway): Promise<void> {
  let shop: Shop | undefined
  let gateway: Gateway | undefined

  let isStopping = false
  async function stop(exitCode: number): Promise<void> {
    // A terminal sends Ctrl-C to every process, and npm sends it on: it comes twice.
    if (isStopping) return
    isStopping = true
    // First the gateway: what is in flight there still needs the shops.
    await gateway?.close()
    await shop?.stop()
    process.exit(exitCode)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0))

  let ports: Ports | undefined
  try {
    ports = portsFrom(process.argv.slice(2), process.env)
    shop = await startShop(ports.shops)
    const secret = process.env['LIMPET_SECRET']
    const { backends } = shop
    gateway = await startGateway({
      port: ports.gateway,
      secret: secret ?? randomBytes(32).toString('hex'),
      backends,
    })
    console.log(welcome(framework, gateway, shop, secret === undefined))
    tellWhatHappens(shop, gateway.pool)
  } catch (error) {
    console.error(explained(error, ports))
    await stop(1)
  }
}

function welcome(
  framework: string,
  { url }: Gateway,
  { backends, processes }: Shop,
  isForgetful: boolean,
): string {
  const rows = backends.map(
    ({ id, url: at }, index) => `  ${id}    ${at.padEnd(24)}  pid ${processes[index]?.pid}`,
  )
  const cart = `${url}/cart`
  const pid = processes[0]?.pid
  const secret =
    'LIMPET_SECRET is not set, so the secret is a random one: a restart forgets who belongs where.'
  return `
${bold(`limpet: a ${framework} gateway before three shops, each with its carts in its own memory`)}

  open     ${bold(`${url}/`)}
${rows.join('\n')}

Try this in another terminal:

  A visitor comes back to the same shop, so the cart fills up.
    curl -b jar -c jar -d name=apple ${cart}/items
    curl -b jar -c jar -d name=pear ${cart}/items

  Without cookies everybody is a new visitor, and the shops take turns.
    curl ${cart}
    curl ${cart}

  Drain a shop, here shop1: a cart that is there stays there, and nobody new comes.
  (The same once more, and it is ready again.)
    kill -USR2 ${pid}
    curl -b jar -c jar ${cart}
    curl ${cart}

  Kill the shop that has your cart: another one answers, and the cart is gone.
    kill -9 ${pid}
    curl -b jar -c jar ${cart}

${isForgetful ? `${secret}\n` : ''}Ctrl-C ends all of it.
`
}

/** The rest of the terminal's lines: what the pool and the shops go through. */
function tellWhatHappens({ backends, processes }: Shop, pool: Pool): void {
  for (const [index, child] of processes.entries()) {
    const id = backends[index]?.id ?? ''
    child.on('message', () => {
      const state = pool.find(id)?.state === 'drain' ? 'ready' : 'drain'
      pool.setState(id, state)
      console.log(
        state === 'drain' ? `${id} drains: its visitors stay, and nobody new comes` : `${id} is ready again`,
      )
    })
    child.once('exit', (_code, signal) => {
      if (signal === 'SIGKILL') console.log(`${id} was killed: its visitors move when they come back`)
    })
  }
  subscribe('limpet:failed', message => {
    const { backend, redispatchedTo } = message as FailedEvent
    console.log(
      `${backend} did not answer${redispatchedTo === undefined ? '' : `; ${redispatchedTo} was asked instead`}`,
    )
  })
}

function explained(error: unknown, ports: Ports | undefined): unknown {
  if (!(error instanceof Error)) return error
  const { code, port } = error as { code?: unknown; port?: unknown }
  if (ports !== undefined && typeof port === 'number') return portTrouble(ports, port, code)
  // A wrong option of ours or of limpet's says in one line what is wrong; anything else is a mistake in this program.
  if (ports === undefined || code === 'ERR_INVALID_OPTION')
    return error.message.replace(/^option secrets\S+/, 'LIMPET_SECRET')
  return error
}

function bold(text: string): string {
  return styleText('bold', text)
}
