import type { PoolFile } from '../config/pool-file.ts'
import { BalancePolicy } from './caddy-balance.ts'
import { hasVariable, takeHealth } from './caddy-health.ts'
import { addBackend } from './draft.ts'
import { endpointIn } from './endpoint.ts'
import { editHeader } from './header-edits.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn } from './units.ts'

/** Fills a pool with what a `reverse_proxy` says. @param upstreams behind its matcher */
export function caddyProxy(
  proxy: Statement,
  upstreams: readonly string[],
  file: PoolFile,
  report: Report,
): void {
  file.backends = []
  // Caddy asks at random.
  file.balance = 'random'
  for (const upstream of upstreams) addUpstream(upstream, proxy, file, report)
  const { block = [] } = proxy
  // Upstreams first: the weights and the TLS of other lines are theirs, wherever they stand.
  for (const option of block.toSorted(
    (one, other) => Number(other.name === 'to') - Number(one.name === 'to'),
  ))
    new ProxyOption(option, file, report).take()
  if (file.health?.path === undefined && file.health !== undefined) delete file.health
  if (file.passive !== undefined && file.passive.retryAfter === undefined) delete file.passive
}

function addUpstream(text: string, at: Statement, file: PoolFile, report: Report): void {
  const [, scheme = 'http', address = ''] = /^(?:(https?|h2c):\/\/)?(.*)$/.exec(text) ?? []
  const plain = address.replace(/^unix\/\/?/, 'unix:/').replace(/^(?:tcp[46]?\/)?:(?=\d)/, 'localhost:')
  const isSecure = scheme === 'https'
  const endpoint =
    scheme === 'h2c' ? undefined : endpointIn(plain, isSecure ? 'https' : 'http', isSecure ? 443 : 80)
  if (endpoint === undefined) {
    report.partly(at, 'an upstream is host:port or unix//path, over HTTP/1.1', `reverse_proxy ${text}`)
    return
  }
  addBackend(file, endpoint.name, { url: endpoint.url }, at.line)
}

/** One line of the block of a `reverse_proxy`. */
class ProxyOption {
  readonly #option: Statement
  readonly #file: PoolFile
  readonly #report: Report

  constructor(option: Statement, file: PoolFile, report: Report) {
    this.#option = option
    this.#file = file
    this.#report = report
  }

  take(): void {
    const { name, args } = this.#option
    const [first = ''] = args
    this.#report.take(this.#option)
    switch (name) {
      case 'to':
        for (const upstream of args) addUpstream(upstream, this.#option, this.#file, this.#report)
        return
      case 'dynamic':
        this.#dynamic()
        return
      case 'lb_policy':
        new BalancePolicy(this.#option, this.#file, this.#report).take()
        return
      case 'lb_retries': {
        const count = integerIn(first, 0, 99)
        if (count !== undefined) this.#file.maxAttempts = count + 1
        return
      }
      case 'lb_try_duration':
        this.#report.changed(this.#option, 'limpet tries each backend once; waitForBackend waits for one')
        this.#file.waitForBackend = durationIn(first, 's') ?? '0s'
        return
      case 'lb_try_interval':
      case 'flush_interval':
      case 'request_buffers':
      case 'response_buffers':
      case 'stream_timeout':
      case 'stream_close_delay':
      case 'trusted_proxies':
        if (name === 'trusted_proxies')
          this.#report.lost(this.#option, 'trustProxy is one list for the whole file; add these to it')
        return
      case 'header_up':
      case 'header_down':
        this.#header(name === 'header_up' ? 'requestHeaders' : 'responseHeaders')
        return
      case 'transport':
        this.#transport()
        return
      default:
        if (!takeHealth(this.#option, this.#file, this.#report)) this.#lost('limpet has no equivalent')
    }
  }

  #lost(why: string, what?: string): void {
    this.#report.lost(this.#option, why, what)
  }

  #dynamic(): void {
    const [kind = '', name = '', port] = this.#option.args
    this.#report.take(...(this.#option.block ?? []))
    if (kind === 'srv' && /^[\w.-]+$/.test(name)) this.#file.discovery = { dns: name, type: 'SRV' }
    else if (kind === 'a' && /^[A-Za-z0-9][\w.-]*$/.test(name) && /^\d{1,5}$/.test(port ?? ''))
      this.#file.discovery = { dns: `${name}:${port}` }
    else this.#lost('limpet looks up a service, or a name and a port')
  }

  #header(side: 'requestHeaders' | 'responseHeaders'): void {
    const {
      name,
      args: [field = '', value, replacement],
    } = this.#option
    const what = `${name} ${field}`
    if (side === 'requestHeaders' && field.toLowerCase() === 'host') {
      if (/^\{(?:upstream_hostport|http\.reverse_proxy\.upstream\.hostport)\}$/.test(value ?? ''))
        this.#file.host = 'backend'
      else if (!/^\{(?:host|hostport|http\.request\.host|http\.request\.hostport)\}$/.test(value ?? ''))
        this.#lost("limpet sends the client's Host, or the backend's", what)
      return
    }
    if (replacement !== undefined || field.includes('*')) {
      this.#lost('limpet sets and removes whole fields', what)
      return
    }
    const removes = field.startsWith('-')
    if (!removes && value === undefined) return
    const result = editHeader(
      this.#file,
      side,
      field.replace(/^[-+?>]/, ''),
      removes ? undefined : value,
      hasVariable,
    )
    if (typeof result === 'object') this.#lost(result.why, what)
  }

  #transport(): void {
    if (this.#option.args[0] !== 'http') {
      this.#lost('limpet forwards to HTTP backends', `transport ${this.#option.args[0] ?? ''}`)
      return
    }
    const timeouts: NonNullable<PoolFile['timeouts']> = {}
    const tls: NonNullable<PoolFile['tls']> = {}
    for (const line of this.#option.block ?? []) {
      const {
        name,
        args: [value = ''],
      } = line
      const time = durationIn(value, 's')
      this.#report.take(line)
      if (name === 'dial_timeout' && time !== undefined) timeouts.connect = time
      else if (name === 'response_header_timeout' && time !== undefined) timeouts.response = time
      else if (name === 'read_timeout' && time !== undefined) timeouts.idle = time
      else if (name === 'tls_insecure_skip_verify') tls.verify = false
      else if (name === 'tls_server_name' && /^[\w.-]+$/.test(value)) tls.servername = value
      else if (name === 'tls_trusted_ca_certs' && value !== '') tls.ca = value
      else if (name === 'tls') this.#secure()
      else if (
        !/^(?:keepalive.*|read_buffer|write_buffer|write_timeout|compression|max_conns_per_host)$/.test(name)
      )
        this.#report.lost(line, 'limpet has no equivalent', `transport … ${name}`)
    }
    if (Object.keys(timeouts).length > 0) this.#file.timeouts = timeouts
    if (Object.keys(tls).length > 0) this.#file.tls = tls
  }

  /** `tls` of the transport: the upstreams are spoken to over TLS, whatever their scheme. */
  #secure(): void {
    for (const backend of this.#file.backends ?? []) backend.url = backend.url.replace(/^http:/, 'https:')
  }
}
