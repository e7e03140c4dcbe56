import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BackendProcess } from '../support/shop-process.ts'
import type { DrilledGateway, StartGateway } from './drilled-gateway.ts'

const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))

/** The row of an action, as the JSON report of `limpet kill-test` has it. */
export interface ActionRow {
  readonly name: string
  readonly usersOnBackend: number | null
  readonly usersAffected: number
  readonly errors: number
  readonly usersMoved: number | null
  readonly lostWrites: number
  readonly usersWithLoss: number
  readonly usersWithLossElsewhere: number | null
  readonly recoveryMs: number | null
  readonly slowestMs: number
}

/** Users of a run, and what else the command is told. */
export interface KillTestLoad {
  readonly sessions: number
  readonly args: readonly string[]
}

/**
 * `limpet kill-test` against a gateway before three shops: w1 is killed and started again; w2 is drained and put back where
 * the gateway has means for it. All gateways get the same scenario.
 */
export async function runKillTest(start: StartGateway, load: KillTestLoad): Promise<readonly ActionRow[]> {
  const shops = [new BackendProcess('w1'), new BackendProcess('w2'), new BackendProcess('w3')] as const
  const folder = mkdtempSync(join(tmpdir(), 'limpet-kill-test-'))
  let gateway: DrilledGateway | undefined
  try {
    await Promise.all(shops.map(async shop => shop.listening))
    const started = await start(shops)
    gateway = started
    const canDrain = started.hold !== undefined && started.ready !== undefined
    const actions: Record<string, () => Promise<unknown>> = {
      '/kill/w1': async () => shops[0].kill(),
      '/restart/w1': async () => shops[0].restart(),
      '/drain/w2': async () => started.hold?.('w2'),
      '/ready/w2': async () => started.ready?.('w2'),
    }
    return await told(actions, async hook =>
      ran(folder, load, {
        target: `http://127.0.0.1:${started.port}`,
        sessions: load.sessions,
        // Each user has an address of its own, for a balancer that goes by it. nginx looks at three of its numbers.
        localAddresses: Array.from({ length: 30 }, (_, index) => `127.0.${index + 1}.1`),
        backend: { json: 'id' },
        repeat: [{ post: '/cart/items', json: {}, counts: { json: 'items' } }, { get: '/cart' }],
        backends: {
          w1: { kill: hook, restart: hook },
          ...(canDrain && { w2: { drain: hook, ready: hook } }),
        },
      }),
    )
  } finally {
    await gateway?.stop()
    await Promise.all(shops.map(async shop => shop.kill()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Does the actions that a hook asks for, because this process has the shops. */
async function told<T>(
  actions: Readonly<Record<string, () => Promise<unknown>>>,
  run: (hook: string) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    const act = actions[request.url ?? '']
    if (act === undefined) {
      response.writeHead(404).end()
      return
    }
    act().then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const script = `const { LIMPET_ACTION, LIMPET_BACKEND } = process.env; fetch("http://127.0.0.1:${port}/" + LIMPET_ACTION + "/" + LIMPET_BACKEND).then(response => process.exit(response.ok ? 0 : 1))`
  try {
    return await run(`'${process.execPath}' -e '${script}'`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function ran(folder: string, { args }: KillTestLoad, scenario: object): Promise<readonly ActionRow[]> {
  const file = join(folder, 'scenario.json')
  const report = join(folder, 'report.json')
  writeFileSync(file, JSON.stringify(scenario))
  const child = spawn(process.execPath, [PROGRAM, 'kill-test', file, '--json', report, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => (said += piece))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`kill-test ended with ${String(code)}:\n${said}`)
  return (JSON.parse(readFileSync(report, 'utf8')) as { phases: readonly ActionRow[] }).phases.slice(1)
}
