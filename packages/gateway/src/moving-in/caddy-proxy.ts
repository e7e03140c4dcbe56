import type { PoolFile } from '../config/pool-file.ts'
import { addBackend, type PolicyFile } from './draft.ts'
import { endpointIn } from './endpoint.ts'
import { editHeader } from './header-edits.ts'
import { MOVES_ONCE } from './nginx-balance.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, intervalIn, MAX_LIFE_MS } from './units.ts'

const hasVariable = (value: string): boolean => /\{[^}]+\}/.test(value)

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
  for (const option of proxy.block ?? []) new ProxyOption(option, file, report).take()
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
        this.#policy()
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
        if (!this.#health() && !this.#passive()) this.#lost('limpet has no equivalent')
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

  #policy(): void {
    const [name = '', ...args] = this.#option.args
    const [first = ''] = args
    this.#report.take(...(this.#option.block ?? []))
    const file = this.#file
    switch (name) {
      case 'random':
        return
      case 'random_choose':
        file.balance = 'random-two'
        return
      case 'first':
        file.balance = 'first'
        return
      case 'round_robin':
        file.balance = 'round-robin'
        return
      case 'least_conn':
        file.balance = 'least-requests'
        return
      case 'weighted_round_robin':
        file.balance = 'round-robin'
        for (const [index, text] of args.entries()) {
          const backend = file.backends?.[index]
          const weight = integerIn(text, 0, 256)
          if (backend !== undefined && weight !== undefined) backend.weight = weight
        }
        return
      case 'ip_hash':
      case 'client_ip_hash':
        this.#hash('ip')
        return
      case 'uri_hash':
        this.#hash('path')
        return
      case 'header':
      case 'query':
        if (/^[\w.-]+$/.test(first)) this.#hash(`${name}:${first}`)
        else this.#lost('the name to hash is not a token')
        return
      case 'cookie':
        this.#cookie(args)
        return
      default:
        this.#lost('limpet does not balance so', `lb_policy ${name}`)
    }
  }

  #hash(hash: string): void {
    this.#file.balance = hash === 'ip' ? { hash, ipv6Prefix: 128 } : { hash }
    this.#report.changed(this.#option, MOVES_ONCE, 'lb_policy')
  }

  #cookie([name = 'lb', secret]: readonly string[]): void {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
      this.#lost('the name of the cookie is not a token', 'lb_policy cookie')
      return
    }
    const cookie: Extract<PolicyFile, { cookie: unknown }>['cookie'] = { name, maxLife: '0s' }
    for (const {
      name: key,
      args: [value = '', ...more],
      line,
    } of this.#option.block ?? []) {
      const age = key === 'max_age' ? durationIn(value, 's', MAX_LIFE_MS) : undefined
      if (age !== undefined && age !== '0s') Object.assign(cookie, { maxLife: age, persistent: true })
      else if (key === 'fallback' && more.length === 0) this.#fallback(value)
      else
        this.#report.note({
          line,
          kind: 'lost',
          what: `lb_policy cookie … ${key}`,
          why: 'limpet has no equivalent',
        })
    }
    if (secret !== undefined)
      this.#report.changed(
        this.#option,
        'set CADDY_COOKIE_SECRET to the secret of the cookie',
        'lb_policy cookie',
      )
    cookie.accept = [{ caddy: { secret: secret === undefined ? '' : 'env:CADDY_COOKIE_SECRET' } }]
    this.#file.affinity = [{ cookie }]
  }

  #fallback(policy: string): void {
    const words: Readonly<Record<string, NonNullable<PoolFile['balance']>>> = {
      random: 'random',
      first: 'first',
      round_robin: 'round-robin',
      least_conn: 'least-requests',
      ip_hash: { hash: 'ip', ipv6Prefix: 128 },
      client_ip_hash: { hash: 'ip', ipv6Prefix: 128 },
      uri_hash: { hash: 'path' },
    }
    const balance = words[policy]
    if (balance === undefined) this.#lost('limpet does not balance so', `fallback ${policy}`)
    else this.#file.balance = balance
  }

  #health(): boolean {
    const {
      name,
      args: [value = ''],
    } = this.#option
    const health = this.#file.health ?? {
      fall: 1,
      rise: 1,
      interval: '30s',
      timeout: '5s',
      expect: '2xx' as const,
    }
    const time = durationIn(value, 's')
    switch (name) {
      case 'health_uri':
        if (!/^\/[\u0021-\u007E]*$/.test(value)) return false
        health.path = value
        break
      case 'health_interval':
        health.interval = intervalIn(value, 's') ?? '30s'
        break
      case 'health_timeout':
        if (time !== undefined && time !== '0s') health.timeout = time
        break
      case 'health_fails':
        health.fall = integerIn(value, 1, 1000) ?? 1
        break
      case 'health_passes':
        health.rise = integerIn(value, 1, 1000) ?? 1
        break
      case 'health_method':
        if (!/^[A-Z]+$/.test(value) || value === 'CONNECT') return false
        health.method = value
        break
      case 'health_status': {
        const one = integerIn(value, 200, 599)
        const many = (['2xx', '3xx', '4xx', '5xx'] as const).find(word => word === value)
        const expected = one ?? many
        if (expected === undefined) return false
        health.expect = expected
        break
      }
      case 'health_body':
        if (!/^[\w\s-]+$/.test(value)) return false
        health.body = value
        break
      case 'health_headers':
        return this.#healthHeaders(health)
      default:
        return false
    }
    this.#file.health = health
    return true
  }

  #healthHeaders(health: NonNullable<PoolFile['health']>): boolean {
    const edits: PoolFile = {}
    for (const field of this.#option.block ?? []) {
      this.#report.take(field)
      if (editHeader(edits, 'requestHeaders', field.name, field.args[0] ?? '', hasVariable) !== 'taken')
        return false
    }
    health.headers = edits.requestHeaders?.set ?? {}
    this.#file.health = health
    return true
  }

  #passive(): boolean {
    const { name, args } = this.#option
    const [value = ''] = args
    const passive = this.#file.passive ?? { fall: 1 }
    if (name === 'fail_duration') {
      const time = durationIn(value, 's')
      if (time !== undefined && time !== '0s') passive.retryAfter = time
    } else if (name === 'max_fails') passive.fall = integerIn(value, 1, 1000) ?? 1
    else if (name === 'unhealthy_status') {
      const statuses = args.flatMap(text => integerIn(text, 200, 599) ?? [])
      if (statuses.length < args.length) return false
      passive.statuses = statuses
    } else if (name === 'unhealthy_request_count') {
      this.#file.maxInFlight = integerIn(value, 1, 1_000_000) ?? 0
      return true
    } else return false
    this.#file.passive = passive
    return true
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
