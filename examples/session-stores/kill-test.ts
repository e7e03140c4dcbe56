import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The figures of a kill, as the report of `limpet kill-test` has them. */
export interface Kill {
  readonly usersOnBackend: number | null
  readonly errors: number
  readonly lostWrites: number
  readonly usersWithLoss: number
  readonly usersLoggedOut: number
  readonly usersMoved: number | null
}

export interface KillTestOptions {
  readonly url: string
  /** The process of shop1, which is killed. */
  readonly pid: number | undefined
  readonly sessions: number
  /** Steps a second. */
  readonly rate: number
  readonly settle: string
}

/** A visitor's walk: a login, and then a cart and an order, again and again. */
function scenario({ url, pid, sessions, rate }: KillTestOptions): object {
  return {
    name: 'session-stores',
    target: url,
    sessions,
    rate,
    backend: { json: 'backend' },
    open: [{ post: '/login', json: { user: 'user-{{index}}' }, expect: { status: 200 } }],
    repeat: [
      { post: '/cart/items', json: { name: '{{unique}}' }, expect: { status: 201 }, writes: '{{unique}}' },
      { get: '/cart', expect: { status: 200 }, reads: { json: 'items' } },
      { post: '/order/address', json: { value: 'Main Street 1' }, expect: { status: 200 } },
      { post: '/order/payment', json: { value: 'card' }, expect: { status: 200 } },
      { post: '/order/confirm', json: {}, expect: { status: 201 } },
      { get: '/me', expect: { status: 200, json: { user: 'user-{{index}}' } } },
    ],
    backends: { shop1: { kill: `kill -9 ${pid}` } },
  }
}

/** Runs `limpet kill-test`, which has shop1 killed while its visitors go on. */
export async function killTest(options: KillTestOptions): Promise<Kill> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-sessions-'))
  try {
    const file = join(folder, 'scenario.json')
    const report = join(folder, 'report.json')
    writeFileSync(file, JSON.stringify(scenario(options)))
    const manifest = createRequire(import.meta.url).resolve('limpet/package.json')
    const program = join(dirname(manifest), 'dist/main.js')
    const args = [program, 'kill-test', file, '--settle', options.settle, '--json', report]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (piece: string) => (said += piece))
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new Error(`limpet kill-test ended with ${code}:\n${said}`)
    const { phases } = JSON.parse(readFileSync(report, 'utf8')) as {
      phases: readonly (Kill & { name: string })[]
    }
    const kill = phases.find(({ name }) => name === 'kill shop1')
    if (kill === undefined) throw new Error(`limpet kill-test killed nothing:\n${said}`)
    return kill
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
