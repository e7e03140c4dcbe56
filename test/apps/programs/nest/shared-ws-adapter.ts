import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WsAdapter } from '@nestjs/platform-ws'

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Nest's adapter destroys every handshake whose path is none of its own. This one leaves them to limpet. */
export class SharedWsAdapter extends WsAdapter {
  readonly #paths = new Set<string>()

  override create(port: number, options: { readonly path?: string } = {}): unknown {
    this.#paths.add(options.path ?? '/')
    return super.create(port, options)
  }

  protected override ensureHttpServerExists(port: number, server?: Server): Server | undefined {
    const before = server?.listeners('upgrade') ?? []
    const created = super.ensureHttpServerExists(port, server)
    for (const listener of server?.listeners('upgrade') ?? []) {
      if (before.includes(listener)) continue
      server?.off('upgrade', listener as UpgradeListener)
      server?.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const [path = ''] = request.url?.split('?') ?? []
        if (this.#paths.has(path)) Reflect.apply(listener, server, [request, socket, head])
      })
    }
    return created
  }
}
