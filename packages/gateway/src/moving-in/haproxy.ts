import type { Draft, PoolDraft } from './draft.ts'
import { haproxyAffinity } from './haproxy-affinity.ts'
import { haproxyBind } from './haproxy-bind.ts'
import { haproxyHeaders } from './haproxy-headers.ts'
import { haproxyHealth } from './haproxy-health.ts'
import { clientLimits, globalLimits, serverLimits, timeoutIn } from './haproxy-limits.ts'
import { type Proxy, proxiesOf } from './haproxy-proxy.ts'
import { readHaproxy } from './haproxy-reader.ts'
import { AclReader } from './haproxy-route.ts'
import { paramsOf, type ServerParams } from './haproxy-params.ts'
import { addServer, addTemplate, poolWide } from './haproxy-server.ts'
import { haproxyLoss, isQuiet } from './haproxy-words.ts'
import { settleWords } from './pool-draft.ts'
import type { Report } from './report.ts'
import { lastOf, type Statement } from './statement.ts'

/** Makes a limpet file of a haproxy.cfg. */
export function mapHaproxy(text: string, draft: Draft, report: Report): void {
  const sections = readHaproxy(text)
  new HaproxyMapper(sections, draft, report).map()
  // Each of their lines would be reported as one that limpet has not.
  if (draft.pools.length === 0)
    for (const section of sections)
      if (section.name === 'defaults') report.lost(section, 'no section that limpet can take uses it')
  report.leftovers(sections, haproxyLoss)
}

class HaproxyMapper {
  readonly #sections: readonly Statement[]
  readonly #draft: Draft
  readonly #report: Report
  readonly #proxies: readonly Proxy[]
  readonly #pools = new Map<string, PoolDraft>()

  constructor(sections: readonly Statement[], draft: Draft, report: Report) {
    this.#sections = sections
    this.#draft = draft
    this.#report = report
    this.#proxies = proxiesOf(sections, report)
  }

  map(): void {
    for (const section of this.#sections)
      if (section.name === 'global') globalLimits(section, this.#draft, this.#report)
    const front = this.#fronts()
    const bound = haproxyBind(
      front.map(({ section, lines }) => ({ section, lines })),
      this.#draft,
      this.#report,
    )
    for (const proxy of front) if (bound.includes(proxy.section)) this.#frontend(proxy)
    if (this.#pools.size === 0) this.#backendsAlone()
    for (const { section, name } of this.#proxies)
      if (section.name === 'backend' && !this.#report.isTaken(section))
        this.#report.lost(section, 'no frontend uses it', `backend ${name}`)
  }

  /** Frontends that pass HTTP on. A page of statistics becomes the admin port. */
  #fronts(): readonly Proxy[] {
    return this.#proxies.filter(({ section, name, lines, defaults }) => {
      if (section.name === 'backend') return false
      const isStats = lines.some(({ name: word, args }) => word === 'stats' && args[0] === 'enable')
      if (isStats && !lines.some(({ name: word }) => word === 'server')) {
        this.#report.take(
          section,
          ...lines.filter(({ name: word, args }) => word !== 'stats' || args[0] !== 'auth'),
        )
        this.#draft.admin = { listen: '127.0.0.1:8404' }
        return false
      }
      if (lastOf([...defaults, ...lines], 'mode')?.args[0] === 'tcp') {
        this.#report.lost(section, 'limpet forwards HTTP and WebSockets only', `${section.name} ${name}`)
        return false
      }
      return true
    })
  }

  #frontend(proxy: Proxy): void {
    const { section, lines, defaults } = proxy
    this.#report.take(section)
    clientLimits([...defaults, ...lines], this.#draft, this.#report)
    const acls = new AclReader(lines, this.#report)
    const pools = new Set<PoolDraft>()
    // A `listen` is its own backend.
    if (section.name === 'listen' && lines.some(({ name }) => /^server(?:-template)?$/.test(name))) {
      const pool = this.#pool(proxy)
      pools.add(pool)
      this.#route({ pool: pool.name }, section)
    }
    for (const rule of lines.filter(({ name }) => name === 'use_backend')) this.#rule(rule, acls, pools)
    const fallback = lastOf([...defaults, ...lines], 'default_backend')
    if (fallback !== undefined) {
      const pool = this.#named(fallback.args[0] ?? '', fallback)
      if (pool !== undefined) {
        pools.add(pool)
        this.#route({ pool: pool.name }, fallback)
      }
    }
    for (const pool of pools) haproxyHeaders([...defaults, ...lines], pool.file, this.#report)
    for (const line of [...defaults, ...lines]) if (isQuiet(line)) this.#report.take(line)
  }

  #rule(rule: Statement, acls: AclReader, pools: Set<PoolDraft>): void {
    const [name = '', word, ...condition] = rule.args
    const found = word === 'if' ? acls.read(condition, rule) : undefined
    if (word !== undefined && found === undefined) {
      this.#report.lost(
        rule,
        'a route of limpet is a host and the beginning of a path',
        `use_backend ${name}`,
      )
      return
    }
    const pool = this.#named(name, rule)
    if (pool === undefined) return
    pools.add(pool)
    for (const { hosts, paths } of found ?? [{ hosts: [], paths: [] }])
      for (const host of hosts.length === 0 ? [undefined] : hosts)
        for (const path of paths.length === 0 ? [undefined] : paths)
          this.#route(
            {
              ...(host !== undefined && { host }),
              ...(path !== undefined && path !== '/' && { path }),
              pool: pool.name,
            },
            rule,
          )
  }

  #route(route: { host?: string; path?: string; pool: string }, rule: Statement): void {
    this.#report.take(rule)
    if (!this.#draft.addRoute(route))
      this.#report.lost(
        rule,
        'another rule has this host and path already',
        `${rule.name} ${rule.args[0] ?? ''}`,
      )
  }

  #named(name: string, rule: Statement): PoolDraft | undefined {
    const backend = this.#proxies.find(proxy => proxy.section.name !== 'frontend' && proxy.name === name)
    if (backend !== undefined) return this.#pool(backend)
    this.#report.lost(
      rule,
      name.includes('%') ? 'limpet has no variables' : 'there is no such backend',
      `${rule.name} ${name}`,
    )
    return undefined
  }

  #backendsAlone(): void {
    const backends = this.#proxies.filter(({ section }) => section.name === 'backend')
    for (const backend of backends) this.#pool(backend)
    const [first] = this.#draft.pools
    const [section] = backends
    if (backends.length < 2 || first === undefined || section === undefined) return
    this.#draft.addRoute({ pool: first.name })
    this.#report.note({
      line: section.section.line,
      kind: 'lost',
      what: 'routes',
      why: 'no frontend says which requests a backend gets; the first pool gets all',
    })
  }

  #pool({ section, name, lines, defaults }: Proxy): PoolDraft {
    const known = this.#pools.get(name)
    if (known !== undefined) return known
    const pool = this.#draft.addPool(name, `haproxy: ${section.name} ${name}`, section.line)
    this.#pools.set(name, pool)
    this.#report.take(section)
    const { file } = pool
    const all = [...defaults, ...lines]
    const params = this.#servers(lines, pool)
    const server = lines.find(({ name: word }) => /^server(?:-template)?$/.test(word))
    serverLimits(all, file, this.#report)
    haproxyHealth(all, params, server, timeoutIn(all, 'check', this.#report), file, this.#report)
    haproxyAffinity(all, file, this.#report)
    haproxyHeaders(all, file, this.#report)
    if (section.name === 'backend') for (const line of all) if (isQuiet(line)) this.#report.take(line)
    return pool
  }

  /** @returns the parameters of the first, which stand for the pool */
  #servers(lines: readonly Statement[], { file }: PoolDraft): ServerParams | undefined {
    let defaults: ServerParams = new Map()
    let first: ServerParams | undefined
    for (const line of lines) {
      if (line.name === 'default-server') {
        this.#report.take(line)
        defaults = new Map([...defaults, ...paramsOf(line.args)])
      } else if (line.name === 'server' || line.name === 'server-template') {
        const add = line.name === 'server' ? addServer : addTemplate
        const params = add(line, defaults, file, this.#report)
        if (params !== undefined && first === undefined) {
          first = params
          poolWide(params, file, line, this.#report)
        }
      }
    }
    if (file.discovery === undefined) file.backends ??= []
    settleWords(file)
    return first
  }
}
