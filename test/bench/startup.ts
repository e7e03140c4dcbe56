import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Browsers } from './browsers.ts'
import { Child } from './child.ts'
import { type Measured, medianOf } from './measured.ts'

/*
 * The start of the `limpet` command: the time until it listens, and its memory when it is idle and under a steady load.
 * Node itself holds 57 to 66 MB of these.
 */

const STARTS = 9
/** Backends in one file, and starts with it. */
const MANY = 1_000
const STARTS_WITH_MANY = 3
const REQUESTS_PER_SECOND = 600
const SECONDS = 30
const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))

export async function benchStartup(): Promise<Measured[]> {
  const backends = await Child.start('backend')
  const folder = mkdtempSync(join(tmpdir(), 'limpet-bench-'))
  const file = join(folder, 'limpet.json')
  writeFileSync(file, fileOf(backends.urls))
  const few = await starts(file, STARTS)
  const large = join(folder, 'large.json')
  writeFileSync(
    large,
    fileOf(Array.from({ length: MANY }, (_, index) => `http://127.0.0.1:${10_000 + index}`)),
  )
  const many = await starts(large, STARTS_WITH_MANY)
  const gateway = await Started.start(file)
  const loaded = await gateway.underLoad()
  await gateway.stop()
  await backends.stop()
  rmSync(folder, { recursive: true })
  return [
    medianOf('command, ready after', few.readyMs, 700, 'ms'),
    medianOf('idle command, RSS', few.rssMb, 110, 'MB'),
    medianOf(`command with ${MANY} backends, ready after`, many.readyMs, 1_500, 'ms'),
    medianOf(`idle command with ${MANY} backends, RSS`, many.rssMb, 140, 'MB'),
    {
      what: `command at ${REQUESTS_PER_SECOND} requests a second, RSS`,
      value: loaded,
      most: 180,
      unit: 'MB',
    },
  ]
}

function fileOf(urls: readonly string[]): string {
  const web = {
    backends: urls.map((url, index) => ({ id: `w${index + 1}`, url })),
    affinity: [{ cookie: {} }],
  }
  return JSON.stringify({ listen: '127.0.0.1:0', log: { access: true }, pools: { web } })
}

/** The time and the memory of each of several starts. */
async function starts(file: string, count: number): Promise<{ readyMs: number[]; rssMb: number[] }> {
  const found = { readyMs: [] as number[], rssMb: [] as number[] }
  for (let start = 0; start < count; start += 1) {
    const gateway = await Started.start(file)
    found.readyMs.push(gateway.readyMs)
    await sleep(500)
    found.rssMb.push(gateway.rssMb)
    await gateway.stop()
  }
  return found
}

/** A command that listens. */
class Started {
  readonly readyMs: number
  readonly #child: ReturnType<typeof spawn>
  readonly #url: string

  private constructor(child: ReturnType<typeof spawn>, url: string, readyMs: number) {
    this.#child = child
    this.#url = url
    this.readyMs = readyMs
  }

  static async start(file: string): Promise<Started> {
    const startedMs = performance.now()
    const child = spawn(process.execPath, [PROGRAM, '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    // The access log is read to its end, and dropped.
    const lines = createInterface(child.stdout)
    const url = await new Promise<string>((resolve, reject) => {
      lines.on('line', line => {
        const { event, url: listening } = JSON.parse(line) as { event: string; url: string }
        if (event === 'listening') resolve(listening)
      })
      lines.once('close', () => reject(new Error('it does not listen')))
    })
    return new Started(child, url, performance.now() - startedMs)
  }

  get rssMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024
  }

  /** Its memory after a steady load: a batch each tenth of a second. */
  async underLoad(): Promise<number> {
    const browsers = new Browsers(this.#url, 32)
    for (let tenth = 0; tenth < SECONDS * 10; tenth += 1)
      await Promise.all([browsers.ask(REQUESTS_PER_SECOND / 10), sleep(100)])
    const { rssMb } = this
    await browsers.close()
    return rssMb
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.kill()
    await gone
  }
}
