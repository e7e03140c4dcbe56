import type { Draft, PoolDraft } from './draft.ts'
import { endpointIn } from './endpoint.ts'
import { nginxLocation } from './nginx-location.ts'
import { nginxListen } from './nginx-listen.ts'
import { readNginx } from './nginx-reader.ts'
import { Scope } from './nginx-scope.ts'
import { mapUpstream } from './nginx-upstream.ts'
import { nginxLoss, QUIET } from './nginx-words.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, sizeIn } from './units.ts'

/** Makes a limpet file of an nginx.conf, or of one of the files that it includes. */
export function mapNginx(text: string, draft: Draft, report: Report): void {
  const statements = readNginx(text)
  new NginxMapper(statements, draft, report).map()
  report.leftovers(statements, nginxLoss)
}

interface PassTarget {
  readonly scheme: 'http' | 'https'
  readonly name: string
  readonly uri: string
}

class NginxMapper {
  readonly #top: readonly Statement[]
  readonly #draft: Draft
  readonly #report: Report
  readonly #upstreams: ReadonlyMap<string, Statement>
  readonly #maps: readonly Statement[]
  /** By scheme and name. */
  readonly #pools = new Map<string, PoolDraft>()

  constructor(statements: readonly Statement[], draft: Draft, report: Report) {
    const blocks = statements.filter(({ name }) => name === 'http')
    const events = statements.filter(({ name }) => name === 'events')
    report.take(...blocks, ...events)
    this.#top = [
      ...statements.filter(({ name }) => name !== 'http'),
      ...[...events, ...blocks].flatMap(({ block = [] }) => block),
    ]
    this.#upstreams = new Map(
      this.#top.filter(({ name }) => name === 'upstream').map(one => [one.args[0] ?? '', one]),
    )
    this.#maps = this.#top.filter(({ name }) => name === 'map')
    this.#draft = draft
    this.#report = report
  }

  map(): void {
    const scope = new Scope(this.#top, this.#report)
    this.#process(scope)
    this.#quiet(this.#top)
    const servers = scope
      .own('server')
      .map(statement => ({ statement, scope: scope.within(statement.block ?? []) }))
    const chosen = nginxListen(servers, this.#draft, this.#report)
    for (const server of chosen) this.#server(server.statement, server.scope, server.isDefault, chosen.length)
    if (this.#pools.size === 0) this.#upstreamsAlone(scope)
    for (const upstream of scope.own('upstream'))
      if (!this.#report.isTaken(upstream))
        this.#report.lost(upstream, 'no location passes requests to it', `upstream ${upstream.args[0] ?? ''}`)
  }

  /** Directives for the whole gateway. */
  #process(scope: Scope): void {
    const { limits, trustProxy } = this.#draft
    const workers = scope.last('worker_processes')?.args[0]
    if (workers === 'auto') this.#draft.workers = 'auto'
    else if (integerIn(workers, 2, 1024) !== undefined) this.#draft.workers = Number(workers)
    const connections = integerIn(scope.last('worker_connections')?.args[0], 1, 1_000_000_000)
    if (connections !== undefined) limits.connections = connections
    for (const {
      args: [address = ''],
    } of scope.all('set_real_ip_from'))
      if (/^[0-9A-Fa-f.:]+(?:\/\d{1,3})?$/.test(address)) trustProxy.push(address)
  }

  /** A file of upstreams alone is a pool or two without routes. */
  #upstreamsAlone(scope: Scope): void {
    for (const upstream of scope.own('upstream'))
      this.#poolOf({ scheme: 'http', name: upstream.args[0] ?? '', uri: '' }, upstream)
    const [first] = this.#draft.pools
    if (first === undefined || this.#draft.pools.length < 2) return
    this.#draft.addRoute({ pool: first.name })
    const { line } = scope.own('upstream')[0] ?? { line: 1 }
    this.#report.note({
      line,
      kind: 'lost',
      what: 'routes',
      why: 'no server block says which requests an upstream gets; the first pool gets all',
    })
  }

  #server(statement: Statement, scope: Scope, isDefault: boolean, count: number): void {
    this.#report.take(statement)
    this.#quiet(statement.block ?? [])
    this.#limits(scope)
    const names = scope.own('server_name').flatMap(({ args }) => args)
    this.#report.take(...scope.own('server_name'))
    const hosts = names.filter(name => {
      if (name === '_' || name === '' || name === 'localhost') return false
      if (!/[*~$]/.test(name) && !name.startsWith('.')) return true
      this.#report.note({
        line: statement.line,
        kind: 'lost',
        what: `server_name ${name}`,
        why: 'a route of limpet has one exact host; list the hosts',
      })
      return false
    })
    // nginx gives the requests for unknown hosts to the default server, and to the only one all of them.
    const places: readonly (string | undefined)[] =
      count === 1 ? [undefined] : [...hosts, ...(isDefault ? [undefined] : [])]
    this.#locations(statement.block ?? [], scope, places)
  }

  #limits(scope: Scope): void {
    const { limits } = this.#draft
    const idle = durationIn(scope.last('keepalive_timeout')?.args[0] ?? '', 's')
    if (idle !== undefined) limits.keepAlive = idle
    const head = durationIn(scope.last('client_header_timeout')?.args[0] ?? '', 's')
    if (head !== undefined) limits.headersTimeout = head
    const send = durationIn(scope.last('send_timeout')?.args[0] ?? '', 's')
    if (send !== undefined) limits.sendTimeout = send
    const buffers = scope.last('large_client_header_buffers')
    const [count = '', size = ''] = buffers?.args ?? []
    const unit = sizeIn(size)
    if (buffers === undefined) return
    const bytes = /^(\d+)KiB$/.exec(unit ?? '')
    const total = Number(bytes?.[1]) * Number(count)
    if (total >= 1 && total <= 16_384) limits.headers = `${total}KiB`
    else this.#report.lost(buffers, 'a head of limpet has 1 KiB to 16 MiB')
  }

  #locations(block: readonly Statement[], around: Scope, hosts: readonly (string | undefined)[]): void {
    for (const location of block.filter(({ name }) => name === 'location')) {
      const scope = around.within(location.block ?? [])
      const pass = scope.own('proxy_pass').at(-1)
      const path = pass === undefined ? undefined : this.#pathOf(location)
      if (pass !== undefined && path !== undefined) this.#pass(location, pass, path, scope, hosts)
      if (location.block?.some(({ name }) => name === 'location') === true) {
        this.#report.take(location)
        this.#locations(location.block, scope, hosts)
      }
    }
  }

  #pathOf(location: Statement): string | undefined {
    const [first = '', second] = location.args
    const path = second ?? first
    if (first === '=' || first === '^~' || (second === undefined && first.startsWith('/'))) {
      if (first === '=')
        this.#report.changed(location, 'a route takes the path and all below it', `location = ${path}`)
      else if (path !== '/' && !path.endsWith('/'))
        this.#report.changed(
          location,
          `the route takes ${path} and what is below ${path}/, and nothing else that begins so`,
          `location ${path}`,
        )
      if (path.startsWith('/')) return path
    }
    this.#report.lost(
      location,
      'a route of limpet is a path and all below it, not a pattern',
      `location ${first}`,
    )
    return undefined
  }

  #pass(
    location: Statement,
    pass: Statement,
    path: string,
    scope: Scope,
    hosts: readonly (string | undefined)[],
  ): void {
    const target = targetOf(pass.args[0] ?? '')
    if (target === undefined) {
      this.#report.lost(location, 'proxy_pass has a variable, or is no URL of HTTP', `location ${path}`)
      return
    }
    const pool = this.#poolOf(target, pass)
    if (pool === undefined) return
    this.#report.take(location, pass)
    this.#quiet(location.block ?? [])
    if (target.uri !== '' && target.uri !== path)
      this.#report.lost(
        pass,
        'limpet rewrites no paths: the backend gets the path of the client',
        'proxy_pass … URI',
      )
    nginxLocation(pool, scope, location, this.#report)
    for (const host of hosts) {
      const isNew = this.#draft.addRoute({
        ...(host !== undefined && { host }),
        ...(path !== '/' && { path }),
        pool: pool.name,
      })
      if (!isNew)
        this.#report.partly(location, 'another location has this host and path already', `location ${path}`)
    }
  }

  /** The pool of an upstream, or of the address that stands in its place. */
  #poolOf({ scheme, name }: PassTarget, pass: Statement): PoolDraft | undefined {
    const key = `${scheme} ${name}`
    const known = this.#pools.get(key)
    if (known !== undefined) return known
    const upstream = this.#upstreams.get(name)
    const endpoint =
      upstream === undefined ? endpointIn(name, scheme, scheme === 'https' ? 443 : 80) : undefined
    if (upstream === undefined && endpoint === undefined) {
      this.#report.lost(pass, 'its address is not host:port')
      return undefined
    }
    const pool = this.#draft.addPool(
      upstream === undefined ? (endpoint?.name ?? '') : name,
      upstream === undefined ? 'nginx: proxy_pass' : 'nginx: upstream',
      (upstream ?? pass).line,
    )
    this.#pools.set(key, pool)
    if (upstream === undefined) {
      const { url = '', name: id = '' } = endpoint ?? {}
      pool.file.backends = [{ id, url }]
      return pool
    }
    this.#report.take(upstream)
    mapUpstream(upstream, scheme, pool, this.#maps, this.#report)
    return pool
  }

  #quiet(block: readonly Statement[]): void {
    for (const statement of block) if (QUIET.has(statement.name)) this.#report.take(statement)
  }
}

function targetOf(text: string): PassTarget | undefined {
  if (text.includes('$')) return undefined
  const [, scheme = '', socket, host, uri = ''] =
    /^(https?):\/\/(?:(unix:\/[^:\s]+):?|([^/\s]+))(\/\S*)?$/i.exec(text) ?? []
  const name = socket ?? host
  if (name === undefined) return undefined
  return { scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http', name, uri }
}
