import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
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
