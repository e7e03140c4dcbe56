import type { Draft } from './draft.ts'
import { nginxLimits, nginxProcess } from './nginx-limits.ts'
import { pathOf } from './nginx-path.ts'
import { NginxPools, targetOf } from './nginx-pools.ts'
import { nginxLocation } from './nginx-location.ts'
import { nginxListen } from './nginx-listen.ts'
import { readNginx } from './nginx-reader.ts'
import { Scope } from './nginx-scope.ts'
import { nginxLoss, QUIET } from './nginx-words.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** Makes a limpet file of an nginx.conf, or of one of the files that it includes. */
export function mapNginx(text: string, draft: Draft, report: Report): void {
  const statements = readNginx(text)
  new NginxMapper(statements, draft, report).map()
  report.leftovers(statements, nginxLoss)
}

class NginxMapper {
  readonly #top: readonly Statement[]
  readonly #draft: Draft
  readonly #report: Report
  readonly #pools: NginxPools

  constructor(statements: readonly Statement[], draft: Draft, report: Report) {
    const blocks = statements.filter(({ name }) => name === 'http')
    const events = statements.filter(({ name }) => name === 'events')
    report.take(...blocks, ...events)
    this.#top = [
      ...statements.filter(({ name }) => name !== 'http'),
      ...[...events, ...blocks].flatMap(({ block = [] }) => block),
    ]
    this.#pools = new NginxPools(this.#top, draft, report)
    this.#draft = draft
    this.#report = report
  }

  map(): void {
    const scope = new Scope(this.#top, this.#report)
    nginxProcess(scope, this.#draft)
    this.#quiet(this.#top)
    const servers = scope
      .own('server')
      .map(statement => ({ statement, scope: scope.within(statement.block ?? []) }))
    const chosen = nginxListen(servers, this.#draft, this.#report)
    for (const server of chosen) this.#server(server.statement, server.scope, server.isDefault, chosen.length)
    if (this.#draft.pools.length === 0) this.#upstreamsAlone(scope)
    for (const upstream of scope.own('upstream'))
      if (!this.#report.isTaken(upstream))
        this.#report.lost(upstream, 'no location passes requests to it', `upstream ${upstream.args[0] ?? ''}`)
  }

  /** A file of upstreams alone is a pool or two without routes. */
  #upstreamsAlone(scope: Scope): void {
    for (const upstream of scope.own('upstream'))
      this.#pools.of({ scheme: 'http', name: upstream.args[0] ?? '', uri: '' }, upstream)
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
    nginxLimits(scope, this.#draft.limits, this.#report)
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

  #locations(block: readonly Statement[], around: Scope, hosts: readonly (string | undefined)[]): void {
    for (const location of block.filter(({ name }) => name === 'location')) {
      const scope = around.within(location.block ?? [])
      const pass = scope.own('proxy_pass').at(-1)
      const path = pass === undefined ? undefined : pathOf(location, this.#report)
      if (pass !== undefined && path !== undefined) this.#pass(location, pass, path, scope, hosts)
      if (location.block?.some(({ name }) => name === 'location') === true) {
        this.#report.take(location)
        this.#locations(location.block, scope, hosts)
      }
    }
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
    const pool = this.#pools.of(target, pass)
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

  #quiet(block: readonly Statement[]): void {
    for (const statement of block) if (QUIET.has(statement.name)) this.#report.take(statement)
  }
}
