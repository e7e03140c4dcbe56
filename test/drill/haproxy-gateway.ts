import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../support/free-port.ts'
import type { BackendProcess } from '../support/shop-process.ts'
import { type DrilledGateway, SETTINGS } from './drilled-gateway.ts'
import { type Peer, startPeer } from './peer.ts'

const { checkInterval, checkTimeout, fall, rise, connectTimeout, responseTimeout, slowStart } = SETTINGS

/** HAProxy, with the same settings, and told over its own socket. In 2.6 a server that is added there can have no cookie. */
export class HaproxyGateway implements DrilledGateway {
  readonly name = 'haproxy'
  readonly port: number
  readonly #peer: Peer

  private constructor(port: number, peer: Peer) {
    this.port = port
    this.#peer = peer
  }

  static async start(shops: readonly BackendProcess[]): Promise<HaproxyGateway> {
    const port = await freePort()
    const peer = await startPeer('haproxy', port, ['-db', '-f'], folder => configOf(port, shops, folder))
    return new HaproxyGateway(port, peer)
  }

  async drain(id: string, deadlineMs: number): Promise<void> {
    await this.#tell(`set server shops/${id} state drain`)
    await new Promise(resolve => {
      setTimeout(resolve, deadlineMs)
    })
    await this.#tell(`set server shops/${id} state maint`)
  }

  async hold(id: string): Promise<void> {
    await this.#tell(`set server shops/${id} state drain`)
  }

  async ready(id: string): Promise<void> {
    await this.#tell(`set server shops/${id} state ready`)
  }

  async stop(): Promise<void> {
    await this.#peer.stop()
  }

  async #tell(command: string): Promise<void> {
    const socket = connect(join(this.#peer.folder, 'admin.sock'))
    let said = ''
    socket.setEncoding('utf8').on('data', (piece: string) => (said += piece))
    socket.end(`${command}\n`)
    await once(socket, 'close')
    if (/unknown|no such|not found|error|require/i.test(said))
      throw new Error(`haproxy: ${command}: ${said.trim()}`)
  }
}

function configOf(port: number, shops: readonly BackendProcess[], folder: string): string {
  return `
global
  stats socket ${join(folder, 'admin.sock')} mode 600 level admin
defaults
  mode http
  timeout connect ${connectTimeout}ms
  timeout client 30s
  timeout server ${responseTimeout}ms
  timeout check ${checkTimeout}ms
  retries 2
  option redispatch 1
  retry-on all-retryable-errors
frontend clients
  bind 127.0.0.1:${port}
  default_backend shops
backend shops
  balance roundrobin
  cookie SERVERID insert indirect nocache
  http-request disable-l7-retry if METH_POST
  option httpchk GET /health
  default-server check inter ${checkInterval}ms fall ${fall} rise ${rise} slowstart ${slowStart}ms
${shops.map(shop => `  server ${shop.id} 127.0.0.1:${shop.port} cookie ${shop.id}`).join('\n')}
`
}
