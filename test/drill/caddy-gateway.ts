import { freePort } from '../support/free-port.ts'
import type { BackendProcess } from '../support/shop-process.ts'
import { type DrilledGateway, SETTINGS } from './drilled-gateway.ts'
import { type Peer, startPeer } from './peer.ts'

const { checkInterval, checkTimeout, connectTimeout, responseTimeout } = SETTINGS

/** Caddy, with the same settings as far as it has them; it knows no drain. */
export class CaddyGateway implements DrilledGateway {
  readonly name = 'caddy'
  readonly port: number
  readonly #peer: Peer

  private constructor(port: number, peer: Peer) {
    this.port = port
    this.#peer = peer
  }

  static async start(shops: readonly BackendProcess[]): Promise<CaddyGateway> {
    const port = await freePort()
    const peer = await startPeer('caddy', port, ['run', '--adapter', 'caddyfile', '--config'], () =>
      configOf(port, shops),
    )
    return new CaddyGateway(port, peer)
  }

  async stop(): Promise<void> {
    await this.#peer.stop()
  }
}

function configOf(port: number, shops: readonly BackendProcess[]): string {
  return `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy ${shops.map(shop => `127.0.0.1:${shop.port}`).join(' ')} {
    lb_policy cookie SERVERID a-secret-of-the-drill
    lb_try_duration 1s
    lb_try_interval 20ms
    health_uri /health
    health_interval ${checkInterval}ms
    health_timeout ${checkTimeout}ms
    fail_duration 1s
    transport http {
      dial_timeout ${connectTimeout}ms
      response_header_timeout ${responseTimeout}ms
    }
  }
}
`
}
