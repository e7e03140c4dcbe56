import { EventEmitter, once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Backend, type BackendSetup } from './backend.ts'
import type { Handshake, UpgradeScript } from './handshake.ts'
import { headerLines } from './header-lines.ts'
import { echo } from './scripts.ts'
import { acceptEcho } from './upgrade-scripts.ts'

/** A backend that takes upgrades, too. Any other request it answers with an echo. */
export async function startTunnelBackend(
  id: string,
  upgrade: UpgradeScript = acceptEcho,
  setup: BackendSetup = {},
): Promise<TunnelBackend> {
  const backend = new TunnelBackend(id, upgrade, setup)
  onTestFinished(() => backend.refuse())
  await backend.listen()
  return backend
}

/** Backends that send everything back. */
export async function startTunnelBackends<const Ids extends readonly string[]>(
  ...ids: Ids
): Promise<{ [Index in keyof Ids]: TunnelBackend }> {
  return (await Promise.all(ids.map(async id => startTunnelBackend(id)))) as {
    [Index in keyof Ids]: TunnelBackend
  }
}

export class TunnelBackend extends Backend {
  /** May be changed at any time. */
  upgrade: UpgradeScript
  /** Every handshake that has arrived. */
  readonly handshakes: Handshake[] = []
  /** Their connections that are open now. */
  readonly tunnels = new Set<Socket>()
  readonly #upgrades = new EventEmitter()

  constructor(id: string, upgrade: UpgradeScript, setup: BackendSetup) {
    super(id, echo, setup)
    this.upgrade = upgrade
  }

  /** The `count`-th handshake, once it has arrived. */
  async handshake(count = 1): Promise<Handshake> {
    for (;;) {
      const handshake = this.handshakes[count - 1]
      if (handshake !== undefined) return handshake
      await once(this.#upgrades, 'upgrade', { signal: AbortSignal.timeout(15_000) })
    }
  }

  protected override prepare(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.tunnels.add(socket)
      socket.on('error', () => {})
      const over = new Promise(resolve => {
        socket.once('close', resolve)
      })
      socket.once('close', () => this.tunnels.delete(socket))
      const handshake = {
        request,
        url: request.url ?? '',
        lines: headerLines(request.rawHeaders),
        socket,
        head,
        over,
      }
      this.handshakes.push(handshake)
      this.#upgrades.emit('upgrade')
      // A script that fails is a mistake of the test: it surfaces as an unhandled rejection.
      void (async () => this.upgrade(handshake))()
    })
  }
}
