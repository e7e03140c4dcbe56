import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Three shops that run. */
export interface Shop {
  /** As a pool takes them. */
  readonly backends: readonly { readonly id: string; readonly url: string }[]
  /** In the same order. A shop that gets SIGUSR2 sends `{ drain: true }`: it would like no new visitors. */
  readonly processes: readonly ChildProcess[]
  /** Ends them, and settles when they are gone. */
  stop(): Promise<void>
}

/**
 * Starts shop1, shop2 and shop3, each in a process of its own, on these ports of 127.0.0.1; 0 is any free one.
 * They end with this process, however it ends.
 * @throws an error with `code` and `port` when a port cannot be had; then none is left running
 */
export async function startShop(ports: readonly number[] = [0, 0, 0]): Promise<Shop> {
  const script = fileURLToPath(new URL('backend.ts', import.meta.url))
  const processes = ports.map((port, index) =>
    fork(script, [`shop${index + 1}`, String(port)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  )
  try {
    const listening = await Promise.all(
      processes.map(async (child, index) => listeningPort(child, ports[index])),
    )
    const backends = listening.map((port, index) => ({
      id: `shop${index + 1}`,
      url: `http://127.0.0.1:${port}`,
    }))
    return { backends, processes, stop: async () => stopAll(processes) }
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
      const error = new Error(`a shop cannot listen on port ${wanted}`)
      throw Object.assign(error, { code: message.failed, port: wanted })
    }
  }
  throw new Error('a shop ended before it listened')
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
