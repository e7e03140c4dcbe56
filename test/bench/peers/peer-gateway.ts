import { join } from 'node:path'
import { startPeer } from '../../drill/peer.ts'
import { freePort } from '../../support/free-port.ts'

/** Load balancers of other projects, each with its own affinity on one thread. */
export const PEERS = ['haproxy', 'nginx', 'caddy'] as const

export type PeerName = (typeof PEERS)[number]

interface PeerGateway {
  readonly name: string
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

const ARGS: Readonly<Record<PeerName, readonly string[]>> = {
  haproxy: ['-db', '-f'],
  nginx: ['-e', 'stderr', '-c'],
  caddy: ['run', '--adapter', 'caddyfile', '--config'],
}

/** @param urls of the backends */
export async function startPeerGateway(name: PeerName, urls: readonly string[]): Promise<PeerGateway> {
  const port = await freePort()
  const hosts = urls.map(url => new URL(url).host)
  const peer = await startPeer(
    name,
    port,
    ARGS[name],
    folder => CONFIGS[name](port, hosts, folder),
    // One thread runs Go code.
    { GOMAXPROCS: '1' },
  )
  return { name, pid: peer.pid, url: `http://127.0.0.1:${port}`, stop: async () => peer.stop() }
}

type ConfigOf = (port: number, hosts: readonly string[], folder: string) => string

const CONFIGS: Readonly<Record<PeerName, ConfigOf>> = {
  haproxy: (port, hosts) => `
global
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  default_backend shops
backend shops
  balance roundrobin
  cookie SERVERID insert indirect nocache
${hosts.map((host, at) => `  server w${at + 1} ${host} cookie w${at + 1}`).join('\n')}
`,
  nginx: (port, hosts, folder) => `${nginxHead(folder)}
  upstream shops {
    ip_hash;
${hosts.map(host => `    server ${host};`).join('\n')}
    keepalive 64;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://shops;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`,
  caddy: (port, hosts) => `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy ${hosts.join(' ')} {
    lb_policy cookie SERVERID a-secret-of-the-bench
  }
}
`,
}

/** The head of a file for one process of nginx, up to its servers. */
export function nginxHead(folder: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid ${join(folder, 'pid')};
events {}
http {
  access_log off;
  keepalive_requests 1000000;
${paths.map(name => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}`
}
