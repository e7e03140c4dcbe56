import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Browsers } from './browsers.ts'
import { Child } from './child.ts'
import { CpuShare } from './cpu-share.ts'
import { type Measured, medianOf } from './measured.ts'

/*
 * The throughput of two workers, as a multiple of one. The load and the backends need cores, too, so each worker has a
 * part of one: the rest carries them whatever the gateway does.
 */

const SHARE = 0.25
const CONNECTIONS = 64
const REQUESTS = 3_200
const ROUNDS = 15
/** Each worker makes its machine code for itself, out of its share. */
const WARM_UP = 6
/** Two carry 1.7 times as much, at least. */
const MAX_TIME = 1 / 1.7

const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))

/** The `limpet` command with so many processes, each with its share. */
class Gateway {
  readonly tookMs: number[] = []
  readonly #child: ChildProcess
  readonly #shares: readonly CpuShare[]
  readonly #browsers: Browsers

  private constructor(child: ChildProcess, shares: readonly CpuShare[], url: string) {
    this.#child = child
    this.#shares = shares
    this.#browsers = new Browsers(url, CONNECTIONS)
  }

  static async start(workers: number, backends: readonly string[]): Promise<Gateway> {
    const folder = mkdtempSync(join(tmpdir(), 'limpet-bench-'))
    const file = join(folder, 'limpet.json')
    const web = {
      backends: backends.map((url, index) => ({ id: `w${index + 1}`, url })),
      affinity: [{ cookie: {} }],
    }
    writeFileSync(
      file,
      JSON.stringify({ listen: '127.0.0.1:0', workers, log: { access: false }, pools: { web } }),
    )
    const child = spawn(process.execPath, [PROGRAM, '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const url = await urlOf(child)
    rmSync(folder, { recursive: true })
    const pids = workers === 1 ? [child.pid ?? 0] : childrenOf(child.pid ?? 0)
    const shares = pids.map(pid => {
      const share = new CpuShare(String(pid), SHARE)
      share.limit(pid)
      return share
    })
    return new Gateway(child, shares, url)
  }

  async run(): Promise<void> {
    const startedMs = performance.now()
    await this.load()
    this.tookMs.push(performance.now() - startedMs)
  }

  async load(): Promise<void> {
    await this.#browsers.ask(REQUESTS)
  }

  async stop(): Promise<void> {
    await this.#browsers.close()
    const gone = once(this.#child, 'exit')
    this.#child.kill()
    await gone
    for (const share of this.#shares) share.remove()
  }
}

export async function benchWorkers(): Promise<Measured[]> {
  if (!CpuShare.isPossible) {
    console.log('not measured: it takes cgroups v1 and root to give each worker a part of a core')
    return []
  }
  const backends = await Child.start('backend')
  const [one, two] = [await Gateway.start(1, backends.urls), await Gateway.start(2, backends.urls)]
  for (let times = 0; times < WARM_UP; times += 1) for (const gateway of [one, two]) await gateway.load()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const gateway of round % 2 === 0 ? [one, two] : [two, one]) await gateway.run()
  }
  await Promise.all([one.stop(), two.stop()])
  await backends.stop()
  const times = two.tookMs.map((ms, round) => ms / (one.tookMs[round] ?? Number.NaN))
  return [medianOf('time of two workers / of one, for the same requests', times, MAX_TIME)]
}

async function urlOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('no pipe to the child')
  for await (const line of createInterface(stdout)) {
    const { event, url } = JSON.parse(line) as { event: string; url: string }
    if (event === 'listening') return url
  }
  throw new Error('it does not listen')
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}
