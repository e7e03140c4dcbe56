import { programPath, startPeer } from '../../drill/peer.ts'
import { freePort } from '../../support/free-port.ts'
import { Child } from '../child.ts'
import { nginxHead } from './peer-gateway.ts'

const ITEMS = Array.from({ length: 20 }, (_, id) => ({ id, name: `item ${id}`, price: id * 3 }))

/** Three backends in one process that answer at once: nginx where it is installed, and Node elsewhere. */
export class CBackends {
  readonly name: string
  readonly urls: readonly string[]
  readonly stop: () => Promise<void>

  private constructor(name: string, urls: readonly string[], stop: () => Promise<void>) {
    this.name = name
    this.urls = urls
    this.stop = stop
  }

  static async start(): Promise<CBackends> {
    if (programPath('nginx') === undefined) {
      const child = await Child.start('backend')
      return new CBackends('Node', child.urls, async () => child.stop())
    }
    const ports = [await freePort(), await freePort(), await freePort()]
    const peer = await startPeer('nginx', ports[2] ?? 0, ['-e', 'stderr', '-c'], folder =>
      configOf(ports, folder),
    )
    return new CBackends(
      'nginx',
      ports.map(port => `http://127.0.0.1:${port}`),
      async () => peer.stop(),
    )
  }
}

function configOf(ports: readonly number[], folder: string): string {
  return `${nginxHead(folder)}
  default_type "application/json; charset=utf-8";
  server {
${ports.map(port => `    listen 127.0.0.1:${port};`).join('\n')}
    add_header Cache-Control no-store;
    add_header Vary Accept-Encoding;
    return 200 '${JSON.stringify({ items: ITEMS })}';
  }
}
`
}
