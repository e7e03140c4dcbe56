import type { Draft } from './draft.ts'
import { caddyLoss } from './caddy-loss.ts'
import { type Place, placesOf } from './caddy-place.ts'
import { caddyProxy } from './caddy-proxy.ts'
import { readCaddyfile, type SiteBlock } from './caddy-reader.ts'
import { siteAddress, type SiteAddress } from './caddy-site.ts'
import { listenText } from './endpoint.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { sizeIn } from './units.ts'

/** Makes a limpet file of a Caddyfile. */
export function mapCaddyfile(text: string, draft: Draft, report: Report): void {
  const sites = readCaddyfile(text)
  new CaddyMapper(sites, draft, report).map()
  report.leftovers(sites, caddyLoss)
}

interface Site {
  readonly block: SiteBlock
  readonly addresses: readonly SiteAddress[]
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

  #options(options: SiteBlock): void {
    this.#report.take(options)
    for (const option of options.block) {
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
    if (block.name !== 'site' || first.startsWith('(') || first.startsWith('&(')) return undefined
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
          const inner = isMatcher ? placesOf(first, place, matchers, directive, this.#report) : [place]
          this.#proxy(directive, isMatcher ? directive.args.slice(1) : directive.args, inner)
          break
        }
        case 'handle':
        case 'route': {
          this.#report.take(directive)
          for (const inner of isMatcher ? placesOf(first, place, matchers, directive, this.#report) : [place])
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

function passes(block: readonly Statement[]): boolean {
  return block.some(
    ({ name, block: inner }) => name === 'reverse_proxy' || (inner !== undefined && passes(inner)),
  )
}

function nameOf({ args }: SiteBlock): string {
  return args.join(' ')
}
