import { join } from 'node:path'
import { freePort } from '../support/free-port.ts'
import type { BackendProcess } from '../support/shop-process.ts'
import { type DrilledGateway, SETTINGS } from './drilled-gateway.ts'
import { type Peer, startPeer } from './peer.ts'

const { connectTimeout, responseTimeout } = SETTINGS

/** nginx with `ip_hash`: affinity by the client's address. It has no health checks and knows no drain. */
export class NginxGateway implements DrilledGateway {
  readonly name = 'nginx ip_hash'
  readonly port: number
  readonly #peer: Peer

  private constructor(port: number, peer: Peer) {
    this.port = port
    this.#peer = peer
  }

  static async start(shops: readonly BackendProcess[]): Promise<NginxGateway> {
    const port = await freePort()
    const peer = await startPeer('nginx', port, ['-e', 'stderr', '-c'], folder =>
      configOf(port, shops, folder),
    )
    return new NginxGateway(port, peer)
  }

  async stop(): Promise<void> {
    await this.#peer.stop()
  }
}

/** One process, so that a kill leaves no worker behind. */
function configOf(port: number, shops: readonly BackendProcess[], folder: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid ${join(folder, 'pid')};
events {}
http {
  access_log off;
${paths.map(name => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}
  upstream shops {
    ip_hash;
${shops.map(shop => `    server 127.0.0.1:${shop.port} max_fails=2 fail_timeout=1s;`).join('\n')}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://shops;
      proxy_connect_timeout ${connectTimeout}ms;
      proxy_read_timeout ${responseTimeout}ms;
      proxy_next_upstream error timeout;
    }
  }
}
`
}
