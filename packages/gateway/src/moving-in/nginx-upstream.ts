import { addBackend, type BackendFile, type PoolDraft } from './draft.ts'
import { endpointIn } from './endpoint.ts'
import { nginxBalance } from './nginx-balance.ts'
import { nginxSticky } from './nginx-sticky.ts'
import { addWord, settleWords } from './pool-draft.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn } from './units.ts'

/** Directives of an upstream that limpet needs no word for. */
const QUIET = new Set(['zone', 'keepalive', 'keepalive_timeout', 'keepalive_requests', 'keepalive_time'])

/** Fills a pool with what an upstream says. */
export function mapUpstream(
  upstream: Statement,
  scheme: 'http' | 'https',
  { file }: PoolDraft,
  maps: readonly Statement[],
  report: Report,
): void {
  const servers = new UpstreamServers(file, scheme, report)
  for (const statement of upstream.block ?? []) {
    if (statement.name === 'server') servers.add(statement)
    else if (statement.name === 'sticky') nginxSticky(statement, file, maps, report)
    else if (statement.name === 'queue') queueOf(statement, file, report)
    else if (QUIET.has(statement.name)) report.take(statement)
    else nginxBalance(statement, file, report)
  }
  servers.finish()
}

function queueOf(statement: Statement, file: PoolDraft['file'], report: Report): void {
  report.take(statement)
  const [count, timeout] = statement.args
  const most = integerIn(count, 1, 1_000_000)
  if (most === undefined) {
    report.lost(statement, 'the length is not a number from 1 to 1000000')
    return
  }
  file.whenFull = 'wait'
  file.maxQueue = most
  const time = durationIn(timeout?.replace(/^timeout=/, '') ?? '60s', 's')
  if (time !== undefined) file.queueTimeout = time
}

/** The servers of one upstream, and what is said at them and holds for the whole pool here. */
class UpstreamServers {
  readonly #file: PoolDraft['file']
  readonly #scheme: 'http' | 'https'
  readonly #report: Report
  readonly #fails: number[] = []
  readonly #routes = new Set<string>()
  #failTimeout: string | undefined
  #first: Statement | undefined

  constructor(file: PoolDraft['file'], scheme: 'http' | 'https', report: Report) {
    this.#file = file
    this.#scheme = scheme
    this.#report = report
  }

  add(statement: Statement): void {
    this.#report.take(statement)
    this.#first ??= statement
    const [address = '', ...params] = statement.args
    const values = new Map(params.map(param => splitOnce(param, '=')))
    if (values.has('resolve')) {
      this.#discover(statement, address, values.get('service'))
      return
    }
    const endpoint = endpointIn(address, this.#scheme, this.#scheme === 'https' ? 443 : 80)
    if (endpoint === undefined) {
      this.#report.lost(statement, 'the address is not host:port or unix:/path')
      return
    }
    const route = values.get('route')
    const backend = addBackend(this.#file, route ?? endpoint.name, { url: endpoint.url }, statement.line)
    const why = route === undefined ? undefined : addWord(this.#file, backend, route)
    if (why !== undefined) this.#report.partly(statement, why, 'server … route')
    if (values.delete('route')) this.#routes.add(backend.url)
    for (const [name, value] of values) this.#param(statement, backend, name, value)
    if (!values.has('max_fails')) this.#fails.push(1)
  }

  #param(statement: Statement, backend: BackendFile, name: string, value: string): void {
    switch (name) {
      case 'weight': {
        const weight = integerIn(value, 0, 256)
        if (weight === undefined) this.#report.lost(statement, 'a weight of limpet is 0 to 256', 'weight')
        else backend.weight = weight
        return
      }
      case 'max_conns':
        backend.maxInFlight = integerIn(value, 0, 1_000_000) ?? 0
        return
      case 'backup':
        backend.backup = true
        return
      case 'down':
        backend.state = 'maint'
        return
      case 'drain':
        backend.state = 'drain'
        return
      case 'max_fails':
        this.#fails.push(integerIn(value, 0, 1000) ?? 1)
        return
      case 'fail_timeout':
        this.#failTimeout = durationIn(value, 's') ?? this.#failTimeout
        return
      case 'slow_start':
        this.#file.slowStart = durationIn(value, 's') ?? '0s'
        return
      default:
        this.#report.lost(statement, 'limpet has no such parameter', `server … ${name}`)
    }
  }

  #discover(statement: Statement, address: string, service: string | undefined): void {
    if (this.#file.discovery !== undefined) {
      this.#report.lost(statement, 'a pool looks up one name; make a pool of its own')
      return
    }
    const isName = /^[A-Za-z0-9_](?:[\w.-]*\w)?(?::\d{1,5})?$/.test(address)
    const dns = address.includes(':') ? address : `${address}:80`
    if (!isName || (service !== undefined && !/^[\w.-]+$/.test(service))) {
      this.#report.lost(statement, 'the name to look up is not host:port')
      return
    }
    const full = service?.includes('.') === true ? service : `_${service}._tcp`
    this.#file.discovery =
      service === undefined
        ? { dns, ...(this.#scheme === 'https' && { protocol: 'https' }) }
        : { dns: `${full}.${address.replace(/:\d+$/, '')}`, type: 'SRV' }
  }

  /** nginx counts failures at each server, and limpet has one rule for the pool. */
  finish(): void {
    const most = Math.max(0, ...this.#fails)
    const isAlone = (this.#file.backends?.length ?? 0) < 2
    if (most > 0 && !isAlone) this.#file.passive = { fall: most, retryAfter: this.#failTimeout ?? '10s' }
    this.#file.backends ??= []
    settleWords(this.#file)
    this.#resolvedNames()
  }

  /** nginx hashes the address that it has resolved, into the cookie. */
  #resolvedNames(): void {
    const isHashed = this.#file.affinity?.some(policy => 'cookie' in policy) === true
    const named = this.#file.backends?.find(
      ({ url, aliases }) =>
        /[a-z]/i.test(new URL(url).hostname.replaceAll(/^\[.*\]$/g, '')) &&
        aliases === undefined &&
        !this.#routes.has(url),
    )
    if (isHashed && named !== undefined && this.#first !== undefined)
      this.#report.changed(
        this.#first,
        'cookies of nginx name the address of a server: give limpet addresses in place of names, or these sessions move once',
        'server NAME',
      )
  }
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
