import { createHash } from 'node:crypto'
import type { PoolFile } from '../config/pool-file.ts'
import { addBackend, type PolicyFile } from './draft.ts'
import { endpointIn } from './endpoint.ts'
import { addCheckHeader } from './check-headers.ts'
import type { KeyReader } from './keyed-file.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, intervalIn, MAX_LIFE_MS } from './units.ts'

/** Fills a pool with a service of Traefik that balances over servers. */
export function traefikService(
  service: Statement,
  balancer: Statement,
  file: PoolFile,
  keys: KeyReader,
  report: Report,
): void {
  file.backends = []
  for (const server of keys.items(balancer, 'servers')) addServer(server, file, keys, report)
  const sticky = keys.at(balancer, 'sticky', 'cookie')
  if (sticky !== undefined) file.affinity = [cookieOf(service, sticky, keys, report)]
  const check = keys.child(balancer, 'healthCheck')
  if (check !== undefined) healthOf(check, file, keys, report)
  const passes = keys.text(balancer, 'passHostHeader')
  if (passes === 'false') file.host = 'backend'
  strategyOf(balancer, file, keys, report)
  const passive = keys.child(balancer, 'passiveHealthCheck')
  if (passive !== undefined) {
    const retryAfter = durationIn(keys.text(passive, 'failureWindow') ?? '10s', 's')
    file.passive = {
      fall: integerIn(keys.text(passive, 'maxFailedAttempts'), 1, 1000) ?? 1,
      ...(retryAfter !== undefined && { retryAfter }),
    }
  }
}

function addServer(server: Statement, file: PoolFile, keys: KeyReader, report: Report): void {
  const url = keys.text(server, 'url') ?? ''
  const [, scheme = '', address = '', path = ''] = /^(https?):\/\/([^/\s]+)(\/\S*)?$/i.exec(url) ?? []
  const isSecure = scheme.toLowerCase() === 'https'
  const endpoint = endpointIn(address, isSecure ? 'https' : 'http', isSecure ? 443 : 80)
  if (endpoint === undefined || (path !== '' && path !== '/')) {
    report.lost(server, 'limpet needs http://host:port or https://host:port, without a path')
    return
  }
  const weight = integerIn(keys.text(server, 'weight'), 0, 256)
  addBackend(file, endpoint.name, { url: endpoint.url, ...(weight !== undefined && { weight }) }, server.line)
}

function strategyOf(balancer: Statement, file: PoolFile, keys: KeyReader, report: Report): void {
  const strategy = keys.child(balancer, 'strategy')
  const [name = 'wrr'] = strategy?.args ?? []
  if (strategy === undefined || name === 'wrr') return
  if (name === 'p2c') file.balance = 'random-two'
  else if (name === 'leasttime') {
    report.changed(strategy, 'limpet counts requests in flight, and measures no response times')
    file.balance = 'least-requests'
  } else if (name === 'hrw') {
    report.changed(strategy, 'limpet places by another hash, so each session moves once')
    file.balance = { hash: 'ip', ipv6Prefix: 128 }
  } else report.lost(strategy, 'limpet does not balance so')
}

function cookieOf(service: Statement, sticky: Statement, keys: KeyReader, report: Report): PolicyFile {
  const name = keys.text(sticky, 'name')
  // Traefik sets no end to a session unless maxAge does.
  const cookie: Extract<PolicyFile, { cookie: unknown }>['cookie'] = {
    name:
      name === undefined || name === ''
        ? generatedName(service.name)
        : name.replaceAll(/[^!#$%&'*+\-.^`|~0-9A-Za-z]/g, '_'),
    maxLife: '0s',
  }
  if (keys.isOn(sticky, 'secure')) cookie.secure = true
  const path = keys.text(sticky, 'path')
  if (path?.startsWith('/') === true) cookie.path = path
  const domain = keys.text(sticky, 'domain')
  if (domain !== undefined && domain !== '') cookie.domain = domain.replace(/^\./, '')
  const same = keys.text(sticky, 'sameSite')?.toLowerCase()
  if (same === 'lax' || same === 'strict' || same === 'none') cookie.sameSite = same
  if (cookie.sameSite === 'none') cookie.secure = true
  keys.child(sticky, 'httpOnly')
  const age = keys.child(sticky, 'maxAge')
  const [seconds = '0'] = age?.args ?? []
  const life = durationIn(seconds, 's', MAX_LIFE_MS)
  if (life !== undefined && life !== '0s') Object.assign(cookie, { maxLife: life, persistent: true })
  else if (age !== undefined && seconds !== '0') report.lost(age, 'a session of limpet ends within 400 days')
  cookie.accept = ['traefik']
  return { cookie }
}

/** Traefik's own name for the cookie of a service of the file provider. */
function generatedName(service: string): string {
  const digest = createHash('sha1').update(`_TRAEFIK_BACKEND_${service}@file`).digest('hex')
  return `_${digest.slice(0, 5)}`
}

function healthOf(check: Statement, file: PoolFile, keys: KeyReader, report: Report): void {
  const path = keys.text(check, 'path') ?? '/'
  const interval = intervalIn(keys.text(check, 'interval') ?? '30s', 's')
  const timeout = durationIn(keys.text(check, 'timeout') ?? '5s', 's')
  const status = integerIn(keys.text(check, 'status'), 200, 599)
  const method = keys.text(check, 'method')
  file.health = {
    path: path.startsWith('/') && /^[\u0021-\u007E]+$/.test(path) ? path : '/',
    ...(method !== undefined && /^[A-Z]+$/.test(method) && method !== 'CONNECT' && { method }),
    ...(interval !== undefined && { interval }),
    ...(timeout !== undefined && timeout !== '0s' && { timeout }),
    fall: 1,
    rise: 1,
    expect: status ?? ['2xx', '3xx'],
  }
  const host = keys.text(check, 'hostname')
  if (host !== undefined) addCheckHeader(file.health, 'host', host, () => false)
  for (const field of keys.items(check, 'headers'))
    if (!addCheckHeader(file.health, field.name, field.args[0] ?? '', () => false))
      report.lost(field, 'the value may be a secret, or is no plain text')
}
