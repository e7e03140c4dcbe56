import type { PoolFile } from '../config/pool-file.ts'
import { addBackend } from './draft.ts'
import { addWord } from './pool-draft.ts'
import { endpointIn } from './endpoint.ts'
import { isTaken, paramsOf, type ServerParams } from './haproxy-params.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn } from './units.ts'

/** Adds a `server` to a pool. @returns its parameters, with those of `default-server`; undefined when it was not taken */
export function addServer(
  statement: Statement,
  defaults: ServerParams,
  file: PoolFile,
  report: Report,
): ServerParams | undefined {
  report.take(statement)
  const [name = '', address = '', ...words] = statement.args
  const params = new Map([...defaults, ...paramsOf(words)])
  const scheme = params.has('ssl') ? 'https' : 'http'
  const endpoint = endpointIn(addressIn(address), scheme)
  if (endpoint === undefined) {
    report.lost(statement, 'limpet needs an address with a port, or the path of a socket', `server ${name}`)
    return undefined
  }
  const word = params.get('cookie')
  const backend = addBackend(file, name, { url: endpoint.url }, statement.line)
  const why = word === undefined ? undefined : addWord(file, backend, word)
  if (why !== undefined) report.partly(statement, why, 'server … cookie')
  const weight = integerIn(params.get('weight'), 0, 256)
  if (weight !== undefined && weight !== 1) backend.weight = weight
  if (params.has('backup')) backend.backup = true
  if (params.has('disabled')) backend.state = 'maint'
  const most = integerIn(params.get('maxconn'), 0, 1_000_000)
  if (most !== undefined) backend.maxInFlight = most
  for (const key of params.keys())
    if (!isTaken(key)) report.lost(statement, 'limpet has no such parameter', `server … ${key}`)
  return params
}

/** `server-template web 5 app.internal:8080`: the backends that a name stands for. */
export function addTemplate(
  statement: Statement,
  defaults: ServerParams,
  file: PoolFile,
  report: Report,
): ServerParams | undefined {
  report.take(statement)
  const [, , address = '', ...words] = statement.args
  const params = new Map([...defaults, ...paramsOf(words)])
  const isService = /^_[\w.-]+$/.test(address)
  if (file.discovery !== undefined || !(isService || /^[A-Za-z0-9][\w.-]*:\d{1,5}$/.test(address))) {
    report.lost(statement, 'a pool looks up one name, as host:port or as a service', 'server-template')
    return undefined
  }
  file.discovery = {
    dns: address,
    ...(isService && { type: 'SRV' }),
    ...(params.has('ssl') && { protocol: 'https' }),
  }
  return params
}

/** Applies parameters that HAProxy has for each server and limpet for the whole pool: checks, TLS and the slow start. */
export function poolWide(params: ServerParams, file: PoolFile, statement: Statement, report: Report): void {
  const slow = durationIn(params.get('slowstart') ?? '', 'ms')
  if (slow !== undefined) file.slowStart = slow
  if (params.has('observe')) {
    const fall = integerIn(params.get('error-limit') ?? '10', 1, 1000) ?? 10
    file.passive = { fall }
    if (params.get('observe') === 'layer7')
      report.changed(statement, 'list the statuses that count in passive.statuses', 'server … observe layer7')
  }
  if (params.has('ssl')) {
    const ca = params.get('ca-file')
    const isVerified = params.get('verify') !== 'none'
    const sni = /^str\(([\w.-]+)\)$/.exec(params.get('sni') ?? '')?.[1] ?? params.get('verifyhost')
    file.tls = {
      ...(!isVerified && { verify: false }),
      ...(isVerified && ca !== undefined && !ca.startsWith('@') && { ca }),
      ...(sni !== undefined && { servername: sni }),
    }
  }
}

function addressIn(text: string): string {
  const plain = text.replace(/^(?:ipv4|ipv6|tcp4?|tcp6)@/, '')
  if (plain.startsWith('/')) return `unix:${plain}`
  // `::1:8080` without brackets: the port is behind the last colon.
  const bare = /^([0-9A-Fa-f:]*:[0-9A-Fa-f:]*):(\d{1,5})$/.exec(plain)
  return bare === null ? plain : `[${bare[1]}]:${bare[2]}`
}
