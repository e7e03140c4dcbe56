import { MAKE_SECRET } from '@limpet/core/signing'
import type { BackendLine } from './endpoints.ts'

/** How sessions are recognised in a new file. */
export const METHODS = ['cookie', 'learn', 'address', 'none'] as const

/** The answers from which a file is written. */
export interface InitAnswers {
  readonly listen: string
  readonly backends: readonly BackendLine[]
  readonly method: (typeof METHODS)[number]
  /** The application's cookie, for `learn`. */
  readonly cookie: string
  /** The path of a health check; undefined: none. */
  readonly health: string | undefined
}

/** A commented configuration file. */
export function initFile({ listen, backends, method, cookie, health }: InitAnswers): string {
  return `# Written by limpet init. \`limpet check\` lists its problems, \`limpet\` starts it.
# yaml-language-server: $schema=./node_modules/limpet/schema.json

# The address for clients. 0.0.0.0 is all addresses of this machine.
listen: '${listen}'
${method === 'cookie' ? SECRETS : ''}
# The log: a line of JSON for each request. \`limpet --pretty\` is easier to read.
log: { access: true, level: info }

# The admin port: /healthz, /stats.json, and commands that drain backends. Only this machine is served.
admin: { listen: '127.0.0.1:8404' }

pools:
  web:
    # Sessions are tied to the id. A backend keeps its sessions when only its url changes.
    backends:
${backends.map(({ id, url }) => `      - { id: ${id}, url: '${url.replaceAll("'", "''")}' }\n`).join('')}${affinityOf(method, cookie)}${healthOf(health)}
    # A backend that fails requests is left alone for a while.
    passive: { fall: 3, retryAfter: 10s }
`
}

/** The shell line before the start of a gateway whose file has `SECRETS`. */
export const SET_SECRET = `export LIMPET_SECRET="$(${MAKE_SECRET})"`

const SECRETS = `
# The key that signs the cookie: set LIMPET_SECRET to at least 32 random bytes, and keep it over restarts.
#   ${MAKE_SECRET}
secrets: ['env:LIMPET_SECRET']
`

function affinityOf(method: InitAnswers['method'], cookie: string): string {
  switch (method) {
    case 'cookie':
      return `
    # How a session is recognised: by a signed cookie of limpet, for 30 minutes without a request.
    affinity:
      - cookie: { name: SERVERID, maxIdle: 30m }
`
    case 'learn':
      return `
    # How a session is recognised: by the application's own cookie. A restart of limpet forgets what it has learned.
    affinity:
      - learn: { cookie: ${cookie}, ttl: 1h }
`
    case 'address':
      return `
    # The client's address chooses the backend. Clients behind one NAT share a backend.
    balance: { hash: ip }
`
    case 'none':
      return `
    # Sessions are not kept: each request goes to the backend with the fewest requests.
    balance: least-requests
`
  }
}

function healthOf(path: string | undefined): string {
  return path === undefined
    ? `
    # Without health checks a dead backend is found by failed requests.
    # health: { path: /health }
`
    : `
    # A backend is down after 3 checks that do not get a 2xx, and up again after 2 that do.
    health: { path: '${path.replaceAll("'", "''")}', interval: 5s, timeout: 2s }
`
}
