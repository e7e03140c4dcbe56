import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isListening } from '../support/is-listening.ts'

/** A load balancer of another project, in a process of its own. */
export interface Peer {
  readonly pid: number
  /** Where it may keep things. */
  readonly folder: string
  stop(): Promise<void>
}

/** Where a program is, if it is installed. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map(folder => join(folder, name)).find(path => existsSync(path))
}

/** Starts `name` with a configuration file behind its arguments; settles when it accepts connections. */
export async function startPeer(
  name: string,
  port: number,
  args: readonly string[],
  configOf: (folder: string) => string,
  environment: NodeJS.ProcessEnv = {},
): Promise<Peer> {
  const program = programPath(name)
  if (program === undefined) throw new Error(`${name} is not installed`)
  const folder = mkdtempSync(join(tmpdir(), `drill-${name}-`))
  const file = join(folder, 'config')
  writeFileSync(file, configOf(folder))
  const child = spawn(program, [...args, file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: folder, ...environment },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (said = `${said}${piece}`.slice(-2_000)))
  const exited = once(child, 'exit')
  for (let tries = 0; !(await isListening(port)); tries += 1) {
    if (child.exitCode !== null || tries === 100) throw new Error(`${name} does not start: ${said}`)
    await delay(50)
  }
  return {
    pid: child.pid ?? 0,
    folder,
    async stop() {
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
