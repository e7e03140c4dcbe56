import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Action } from './scenario.ts'

/** The end of what a hook has said, in characters, that an error shows. */
const SHOWN_LENGTH = 500

/** A hook failed: the message says how, with the end of its output. */
export class HookError extends Error {
  override readonly name = 'HookError'
}

/**
 * Runs a shell command for an action; settles when it has ended with 0. It has LIMPET_BACKEND and LIMPET_ACTION in its
 * environment, the former only when the backend is known. Processes that it leaves behind go on.
 * @param signal ends the command
 * @throws HookError when it ends otherwise, or takes longer than `timeoutMs`
 */
export async function runHook(
  command: string,
  action: Action,
  backend: string | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-hook-'))
  const output = join(folder, 'output')
  // A file, because a server that the hook starts would hold a pipe open, and die of a closed one.
  const file = openSync(output, 'a')
  try {
    // In a group of its own: a Ctrl-C at the terminal must not reach a server that a hook has started.
    const child = spawn(command, {
      shell: true,
      detached: true,
      stdio: ['ignore', file, file],
      env: { ...process.env, LIMPET_ACTION: action, LIMPET_BACKEND: backend },
    })
    const problem = await ended(child, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
    signal.throwIfAborted()
    if (problem === undefined) return
    const said = readFileSync(output, 'utf8')
      .trim()
      .slice(-SHOWN_LENGTH)
      .replaceAll(/(?!\n)\p{Cc}/gu, '?')
    const of = backend === undefined ? action : `${action} ${backend}`
    throw new HookError(`the hook of ${of} ${problem}${said === '' ? '' : `: ${said}`}`)
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns what is wrong with its end; undefined when it is a good one */
async function ended(child: ChildProcess, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const stop = (): void => {
    if (child.pid !== undefined) killGroup(child.pid)
    resolve('took too long, and was killed')
  }
  child.once('error', error => resolve(`could not be started (${error.message})`))
  child.once('exit', (code, name) => {
    resolve(code === 0 ? undefined : `ended with ${name ?? String(code)}`)
  })
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}
