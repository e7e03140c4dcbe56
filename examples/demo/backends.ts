import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Three backends that run. */
export interface Backends {
  /** As a pool takes them. */
  readonly members: readonly { readonly id: string; readonly url: string }[]
  /** In the same order. One that sends `{ drain: true }` would like no new sessions. */
  readonly processes: readonly ChildProcess[]
  /** Ends them, and settles when they are gone. */
  stop(): Promise<void>
}

/**
 * Starts a script once for each of these ports of 127.0.0.1, as `node script shop1 9001`; 0 is any free port.
 * The processes end with this one, however it ends.
 * @param name what each is called, with its number
 * @param env more variables of their environment
 * @throws an error with `code` and `port` when a port cannot be had; then none is left running
 */
export async function startBackends(
  script: URL,
  name: string,
  ports: readonly number[],
  env: Readonly<Record<string, string>> = {},
): Promise<Backends> {
  const ids = ports.map((_, index) => `${name}${index + 1}`)
  const processes = ports.map((port, index) =>
    fork(fileURLToPath(script), [ids[index] ?? '', String(port)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    }),
  )
  try {
    const listening = await Promise.all(
      processes.map(async (child, index) => listeningPort(child, ports[index])),
    )
    const members = listening.map((port, index) => ({
      id: ids[index] ?? '',
      url: `http://127.0.0.1:${port}`,
    }))
    return { members, processes, stop: async () => stopAll(processes) }
  } catch (error) {
    await stopAll(processes)
    throw error
  }
}

/** The first message tells how the start went; a process that ends without one has told the terminal why. */
async function listeningPort(child: ChildProcess, wanted: number | undefined): Promise<number> {
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown]
  if (typeof message === 'object' && message !== null) {
    if ('port' in message) return Number(message.port)
    if ('failed' in message) {
      const error = new Error(`a backend cannot listen on port ${wanted}`)
      throw Object.assign(error, { code: message.failed, port: wanted })
    }
  }
  throw new Error('a backend ended before it listened')
}

async function stopAll(processes: readonly ChildProcess[]): Promise<void> {
  const running = processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  await Promise.all(
    running.map(async child => {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const impatience = setTimeout(() => child.kill('SIGKILL'), 2_000)
      await gone
      clearTimeout(impatience)
    }),
  )
}
