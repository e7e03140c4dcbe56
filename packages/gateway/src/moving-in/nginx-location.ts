import type { PoolFile } from '../config/pool-file.ts'
import type { PoolDraft } from './draft.ts'
import { editHeader } from './header-edits.ts'
import type { Scope } from './nginx-scope.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, intervalIn, sizeIn } from './units.ts'

const hasVariable = (value: string): boolean => value.includes('$')

/** Options of a pool that stand at the location which passes to it. The first location of a pool decides. */
export function nginxLocation({ file }: PoolDraft, scope: Scope, location: Statement, report: Report): void {
  const isFirst = file.timeouts === undefined && file.host === undefined && file.bodyLimit === undefined
  const own: PoolFile = {}
  timeouts(own, scope)
  body(own, scope, report)
  retries(own, scope, report)
  tls(own, scope, file, report)
  requestHeaders(own, scope, location, report)
  responseHeaders(own, scope, report)
  healthCheck(own, scope, report)
  for (const [key, value] of Object.entries(own)) {
    const known = file[key as keyof PoolFile]
    if (known === undefined || (isFirst && key === 'passive'))
      Object.assign(file, { [key]: merged(known, value) })
    else if (JSON.stringify(known) !== JSON.stringify(value))
      report.partly(location, `the pool has other ${key} from another location`, `location … ${key}`)
  }
}

function merged(known: unknown, value: unknown): unknown {
  return typeof known === 'object' && known !== null ? { ...known, ...(value as object) } : value
}

function timeouts(file: PoolFile, scope: Scope): void {
  const connect = durationIn(scope.last('proxy_connect_timeout')?.args[0] ?? '', 's')
  const read = durationIn(scope.last('proxy_read_timeout')?.args[0] ?? '', 's')
  const isUpgrading = scope
    .all('proxy_set_header')
    .some(({ args: [name = ''] }) => name.toLowerCase() === 'upgrade')
  scope.all('proxy_send_timeout')
  const found = {
    ...(connect !== undefined && { connect }),
    ...(read !== undefined && { response: read }),
    ...(isUpgrading && { tunnel: read ?? '60s' }),
  }
  if (Object.keys(found).length > 0) file.timeouts = found
}

function body(file: PoolFile, scope: Scope, report: Report): void {
  const limit = scope.last('client_max_body_size')
  if (limit === undefined || limit.args[0] === '0') return
  const size = sizeIn(limit.args[0] ?? '')
  if (size === undefined) report.lost(limit, 'the size is not a number of bytes, k, m or g')
  else file.bodyLimit = size
}

function retries(file: PoolFile, scope: Scope, report: Report): void {
  const next = scope.last('proxy_next_upstream')
  const tries = integerIn(scope.last('proxy_next_upstream_tries')?.args[0], 1, 100)
  if (tries !== undefined) file.maxAttempts = tries
  if (next === undefined) return
  if (next.args.includes('off')) {
    file.maxAttempts = 1
    return
  }
  for (const word of next.args)
    if (!/^(?:error|timeout)$/.test(word))
      report.lost(
        next,
        'limpet tries another backend when none has had the request, or it may be repeated',
        `proxy_next_upstream ${word}`,
      )
}

function tls(file: PoolFile, scope: Scope, pool: PoolFile, report: Report): void {
  const isSecure = pool.backends?.some(({ url }) => url.startsWith('https:')) === true
  if (!isSecure) return
  const verify = scope.last('proxy_ssl_verify')?.args[0] === 'on'
  const ca = scope.last('proxy_ssl_trusted_certificate')?.args[0]
  const name = scope.last('proxy_ssl_name')
  const [servername = ''] = name?.args ?? []
  if (name !== undefined && hasVariable(servername)) report.lost(name, 'limpet sends one constant name')
  // nginx does not verify unless it is told to.
  file.tls = {
    ...(verify ? {} : { verify: false }),
    ...(ca !== undefined && !hasVariable(ca) && { ca }),
    ...(servername !== '' && !hasVariable(servername) && { servername }),
  }
}

function requestHeaders(file: PoolFile, scope: Scope, location: Statement, report: Report): void {
  const fields = scope.all('proxy_set_header')
  const host = fields.find(({ args: [name = ''] }) => name.toLowerCase() === 'host')
  if (host === undefined)
    report.changed(
      location,
      "nginx sends the upstream's name as Host, and limpet the client's; host: backend sends the backend's",
      'proxy_set_header Host',
    )
  else if (host.args[1] === '$proxy_host') file.host = 'backend'
  else if (!/^\$(?:host|http_host|server_name)(?::\$\w+)?$/.test(host.args[1] ?? ''))
    report.lost(host, "limpet sends the client's Host, or the backend's", 'proxy_set_header Host')
  for (const field of fields) {
    const [name = '', value = ''] = field.args
    const result = editHeader(file, 'requestHeaders', name, value === '' ? undefined : value, hasVariable)
    if (typeof result === 'object') report.lost(field, result.why, `proxy_set_header ${name}`)
  }
}

function responseHeaders(file: PoolFile, scope: Scope, report: Report): void {
  for (const field of scope.all('add_header')) {
    const [name = '', value = ''] = field.args
    const result = editHeader(file, 'responseHeaders', name, value, hasVariable)
    if (typeof result === 'object') report.lost(field, result.why, `add_header ${name}`)
  }
  for (const field of scope.all('proxy_hide_header')) {
    const [name = ''] = field.args
    const result = editHeader(file, 'responseHeaders', name, undefined, hasVariable)
    if (typeof result === 'object') report.lost(field, result.why, `proxy_hide_header ${name}`)
  }
}

/** `health_check` of the commercial nginx. */
function healthCheck(file: PoolFile, scope: Scope, report: Report): void {
  const check = scope.last('health_check')
  if (check === undefined) return
  const values = new Map(check.args.map(arg => arg.split('=', 2) as [string, string]))
  const interval = intervalIn(values.get('interval') ?? '5s', 's')
  const path = values.get('uri') ?? '/'
  file.health = {
    path: path.startsWith('/') && !/\s/.test(path) ? path : '/',
    ...(interval !== undefined && { interval }),
    fall: integerIn(values.get('fails') ?? '1', 1, 1000) ?? 1,
    rise: integerIn(values.get('passes') ?? '1', 1, 1000) ?? 1,
    expect: ['2xx', '3xx'],
    ...(values.has('mandatory') && { initial: 'down' as const }),
  }
  for (const key of ['match', 'port', 'type', 'jitter', 'keepalive_time', 'persistent'])
    if (values.has(key) && key !== 'jitter')
      report.lost(check, 'limpet has no such parameter', `health_check … ${key}`)
}
