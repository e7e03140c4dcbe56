import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { run } from '../../packages/gateway/dist/command.js'
import { GATEWAY_PROGRAM } from './gateway-process.ts'

export interface EndedCommand {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Runs `limpet` with these arguments to its end, in an empty folder. */
export async function limpet(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<EndedCommand> {
  const cwd = mkdtempSync(join(tmpdir(), 'limpet-command-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  const child = spawn(process.execPath, [GATEWAY_PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { ...process.env, ...environment },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [out, error, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: Number(code), out, error }
}

/**
 * Runs `limpet` with these arguments to its end in this process. All but `main.ts` is the same, and a start takes no
 * time. For commands that read no input and serve nothing, in a test file with a process of its own.
 */
export async function limpetHere(args: readonly string[], cwd = process.cwd()): Promise<EndedCommand> {
  let [out, error] = ['', '']
  const before = process.cwd()
  process.chdir(cwd)
  try {
    const code = await run(args, { out: piece => (out += piece), error: piece => (error += piece) })
    return { code, out, error }
  } finally {
    process.chdir(before)
  }
}
