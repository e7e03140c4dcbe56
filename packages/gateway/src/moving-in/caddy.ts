import type { Draft } from './draft.ts'
import { caddyProxy } from './caddy-proxy.ts'
import { readCaddyfile, type SiteBlock } from './caddy-reader.ts'
import { siteAddress, type SiteAddress } from './caddy-site.ts'
import { listenText } from './endpoint.ts'
import type { Loss, Report } from './report.ts'
import type { Statement } from './statement.ts'
import { sizeIn } from './units.ts'

/** Makes a limpet file of a Caddyfile. */
export function mapCaddyfile(text: string, draft: Draft, report: Report): void {
  const sites = readCaddyfile(text)
  new CaddyMapper(sites, draft, report).map()
  report.leftovers(sites, lossOf)
}

interface Site {
  readonly block: SiteBlock
  readonly addresses: readonly SiteAddress[]
}

/** Where a directive stands: what its requests have in common. */
interface Place {
  readonly hosts: readonly (string | undefined)[]
  readonly path: string
}

const PRIVATE_RANGES = ['192.168.0.0/16', '172.16.0.0/12', '10.0.0.0/8', '127.0.0.1/8', 'fd00::/8', '::1']

class CaddyMapper {
  readonly #blocks: readonly SiteBlock[]
  readonly #draft: Draft
  readonly #report: Report

  constructor(blocks: readonly SiteBlock[], draft: Draft, report: Report) {
    this.#blocks = blocks
    this.#draft = draft
    this.#report = report
  }

  map(): void {
    for (const block of this.#blocks) if (block.name === 'options') this.#options(block)
    const sites = this.#blocks.flatMap(block => this.#siteOf(block) ?? [])
    const passing = sites.filter(({ block }) => passes(block.block))
    const [chosen] = passing[0]?.addresses ?? []
    if (chosen === undefined) return
    this.#listen(chosen, passing[0]?.block)
    for (const site of passing) {
      const here = site.addresses.filter(({ port }) => port === chosen.port)
      if (here.length === 0) {
        this.#report.lost(site.block, `limpet listens on one port, ${chosen.port}`, nameOf(site.block))
        continue
      }
      this.#report.take(site.block)
      const isOnly = passing.length === 1
      const hosts = isOnly ? [undefined] : here.map(({ host }) => host)
      this.#directives(site.block.block, { hosts: [...new Set(hosts)], path: '/' })
    }
  }

  #options({ block }: SiteBlock): void {
    const [options] = this.#blocks
    if (options !== undefined) this.#report.take(options)
    for (const option of block) {
      if (
        /^(?:admin|log|debug|storage|persist_config|grace_period|shutdown_delay|order|email|auto_https|http_port|https_port|local_certs|skip_install_trust)$/.test(
          option.name,
        )
      )
        this.#report.take(option, ...(option.block ?? []))
      if (option.name !== 'servers') continue
      this.#report.take(option)
      for (const line of option.block ?? []) {
        const [source, ...ranges] = line.args
        if (line.name !== 'trusted_proxies' || source !== 'static') continue
        this.#report.take(line)
        this.#draft.trustProxy.push(
          ...ranges.flatMap(range => (range === 'private_ranges' ? PRIVATE_RANGES : [range])),
        )
      }
    }
  }

  #siteOf(block: SiteBlock): Site | undefined {
    const [first = ''] = block.args
    if (block.name === 'options' || first.startsWith('(') || first.startsWith('&(')) return undefined
    const addresses = block.args
      .flatMap(word => word.split(','))
      .filter(word => word !== '')
      .flatMap(word => {
        const known = siteAddress(word)
        if (known === undefined)
          this.#report.note({
            line: block.line,
            kind: 'lost',
            what: word,
            why: 'a site of limpet is one exact host and a port',
          })
        return known ?? []
      })
    return { block, addresses }
  }

  /** limpet listens on one address, with the certificate of the first site that has one. */
  #listen({ port, isSecure }: SiteAddress, site: SiteBlock | undefined): void {
    const address = { host: '0.0.0.0', port }
    const tls = site?.block.find(({ name }) => name === 'tls')
    const [cert, key] = tls?.args ?? []
    if (cert !== undefined && key !== undefined && !/[{}]/.test(cert + key)) {
      this.#draft.listen = { ...address, tls: { cert, key }, http2: true }
      return
    }
    this.#draft.listen = listenText({ ...address, port: isSecure && port === 443 ? 80 : port })
    if (isSecure)
      this.#report.note({
        line: tls?.line ?? site?.line ?? 1,
        kind: 'lost',
        what: 'tls',
        why: 'limpet obtains no certificates: give listen.tls two files, and the port 443',
      })
  }

  #directives(block: readonly Statement[], place: Place): void {
    const matchers = new Map(block.filter(({ name }) => name.startsWith('@')).map(one => [one.name, one]))
    for (const directive of block) {
      const [first = ''] = directive.args
      const isMatcher = first.startsWith('/') || first.startsWith('@') || first === '*'
      switch (directive.name) {
        case 'reverse_proxy': {
          const inner = isMatcher ? this.#places(first, place, matchers, directive) : [place]
          this.#proxy(directive, isMatcher ? directive.args.slice(1) : directive.args, inner)
          break
        }
        case 'handle':
        case 'route': {
          this.#report.take(directive)
          for (const inner of isMatcher ? this.#places(first, place, matchers, directive) : [place])
            this.#directives(directive.block ?? [], inner)
          break
        }
        case 'request_body':
          this.#bodyLimit(directive)
          break
        case 'header':
        case 'handle_path':
          this.#report.lost(
            directive,
            directive.name === 'header'
              ? 'put it into responseHeaders of the pool'
              : 'limpet rewrites no paths: the backend gets the path of the client',
          )
          break
        default:
          if (/^(?:log|log_append|log_skip|bind|tls)$/.test(directive.name))
            this.#report.take(directive, ...(directive.block ?? []))
      }
    }
  }

  #bodyLimit(directive: Statement): void {
    this.#report.take(directive)
    const line = directive.block?.find(({ name }) => name === 'max_size')
    const size = sizeIn((line?.args[0] ?? '').replace(/i?B$/i, ''))
    if (line === undefined || size === undefined) return
    this.#report.take(line)
    for (const { file } of this.#draft.pools) file.bodyLimit = size
  }

  /** The hosts and paths of a matcher; empty when it is of another kind. */
  #places(
    matcher: string,
    { hosts, path }: Place,
    matchers: ReadonlyMap<string, Statement>,
    directive: Statement,
  ): readonly Place[] {
    if (matcher === '*') return [{ hosts, path }]
    const definition = matchers.get(matcher)
    const lines =
      definition === undefined
        ? []
        : definition.args.length > 0
          ? [{ name: definition.args[0] ?? '', args: definition.args.slice(1) }]
          : (definition.block ?? [])
    const paths = matcher.startsWith('/')
      ? [matcher]
      : lines.filter(({ name }) => name === 'path').flatMap(({ args }) => args)
    const own = lines.filter(({ name }) => name === 'host').flatMap(({ args }) => args)
    const isKnown =
      matcher.startsWith('/') ||
      (lines.length > 0 && lines.every(({ name }) => name === 'path' || name === 'host'))
    const prefixes = paths.map(one => prefixOf(one))
    const isPlain = own.every(host => /^[\w.-]+$/.test(host)) && !prefixes.includes(undefined)
    if (
      !isKnown ||
      !isPlain ||
      (path !== '/' && paths.length > 0 && !paths.every(one => one.startsWith(path)))
    ) {
      this.#report.lost(
        directive,
        'a route of limpet is a host and the beginning of a path',
        `${directive.name} ${matcher}`,
      )
      return []
    }
    if (definition !== undefined) this.#report.take(definition, ...(definition.block ?? []))
    if (paths.some(one => !one.endsWith('/*')))
      this.#report.changed(
        directive,
        'a route takes a path and what is below it',
        `${directive.name} ${matcher}`,
      )
    const found = prefixes.filter(one => one !== undefined)
    return (found.length === 0 ? [path] : found).map(one => ({
      hosts: own.length > 0 ? own : hosts,
      path: one,
    }))
  }

  #proxy(proxy: Statement, upstreams: readonly string[], places: readonly Place[]): void {
    if (places.length === 0) return
    this.#report.take(proxy)
    const [place] = places
    const label = place?.path === '/' ? (place.hosts[0] ?? 'web') : (place?.path ?? 'web')
    const pool = this.#draft.addPool(label, 'caddy: reverse_proxy', proxy.line)
    caddyProxy(proxy, upstreams, pool.file, this.#report)
    for (const { hosts, path } of places)
      for (const host of hosts) {
        const route = { ...(host !== undefined && { host }), ...(path !== '/' && { path }), pool: pool.name }
        if (!this.#draft.addRoute(route))
          this.#report.partly(
            proxy,
            'another directive has this host and path already',
            `reverse_proxy ${path}`,
          )
      }
  }
}

/** limpet's prefix for a path matcher: `/api/*` is all below, and `/api` that path. */
function prefixOf(path: string): string | undefined {
  const plain = path.replace(/\*$/, '')
  return /^\/[\w/.~%-]*$/.test(plain) ? plain : undefined
}

function passes(block: readonly Statement[]): boolean {
  return block.some(
    ({ name, block: inner }) => name === 'reverse_proxy' || (inner !== undefined && passes(inner)),
  )
}

function nameOf({ args }: SiteBlock): string {
  return args.join(' ')
}

function lossOf({ name, args }: Statement): Loss {
  if (name === 'site')
    return {
      what: args[0] ?? '',
      why: /^&?\(/.test(args[0] ?? '')
        ? 'snippets are not followed; write out what they hold'
        : 'it passes no requests on',
    }
  const why = /^import$/.test(name)
    ? 'other files and snippets are not read'
    : /^(?:respond|redir|file_server|root|rewrite|uri|try_files|php_fastcgi|templates|error|abort|handle_errors)$/.test(
          name,
        )
      ? 'limpet only forwards: responses, redirects and files of its own it has none'
      : name === 'encode'
        ? 'limpet compresses nothing'
        : /auth/.test(name)
          ? 'limpet does not decide which clients may come'
          : 'limpet has no equivalent'
  return { what: name, why }
}
