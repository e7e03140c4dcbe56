import type { Draft, PoolDraft } from './draft.ts'
import { listenIn, listenText } from './endpoint.ts'
import { editHeader } from './header-edits.ts'
import { KeyReader } from './keyed-file.ts'
import type { Loss, Report } from './report.ts'
import { BrokenFileError, type Statement } from './statement.ts'
import { readToml } from './toml-reader.ts'
import { readRule } from './traefik-rule.ts'
import { traefikService } from './traefik-service.ts'
import { integerIn } from './units.ts'
import { readYaml } from './yaml-reader.ts'

/** Makes a limpet file of a dynamic configuration of Traefik, YAML or TOML, with or without entry points beside it. */
export function mapTraefik(text: string, draft: Draft, report: Report): void {
  const statements = isToml(text) ? readToml(text) : readYaml(text).flat()
  new TraefikMapper(statements, draft, report).map()
  report.leftovers(statements, lossOf)
}

function isToml(text: string): boolean {
  return (
    /^\s*\[\[?[\w."'-]+(?:\.[\w."'-]+)*\]\]?\s*(?:#.*)?$/m.test(text) || /^\s*[\w.]+\s*=\s*\S/m.test(text)
  )
}

class TraefikMapper {
  readonly #root: Statement
  readonly #draft: Draft
  readonly #report: Report
  readonly #keys: KeyReader
  readonly #pools = new Map<string, PoolDraft>()

  constructor(statements: readonly Statement[], draft: Draft, report: Report) {
    this.#root = { name: '', args: [], line: 1, block: statements }
    this.#draft = draft
    this.#report = report
    this.#keys = new KeyReader(report)
  }

  map(): void {
    const http = this.#keys.child(this.#root, 'http')
    const services = this.#keys.items(http, 'services')
    if (services.length === 0)
      throw new BrokenFileError(
        http?.line ?? 1,
        'there are no http.services: give the dynamic configuration, of the file provider',
      )
    const routers = this.#keys.items(http, 'routers')
    for (const router of routers) this.#router(router, services)
    if (routers.length === 0) for (const service of services) this.#pool(service)
    for (const service of services)
      if (!this.#pools.has(service.name)) this.#report.lost(service, 'no router uses it')
    this.#listen(routers)
    if (routers.length === 0 && this.#draft.pools.length > 1) {
      this.#draft.addRoute({ pool: this.#draft.pools[0]?.name ?? '' })
      this.#report.lost(
        this.#root,
        'no router says which requests a service gets; the first pool gets all',
        'routes',
      )
    }
  }

  #router(router: Statement, services: readonly Statement[]): void {
    const rule = this.#keys.child(router, 'rule')
    const name = (this.#keys.text(router, 'service') ?? '').replace(/@file$/, '')
    const service = services.find(one => one.name === name)
    this.#keys.child(router, 'entryPoints')
    this.#keys.items(router, 'entryPoints')
    this.#keys.child(router, 'priority')
    const matches = readRule(rule?.args[0] ?? '')
    if (rule === undefined || matches === undefined) {
      this.#report.lost(rule ?? router, 'a route of limpet is a Host and a PathPrefix')
      return
    }
    if (service === undefined) {
      this.#report.lost(router, 'its service is not in this file')
      return
    }
    const pool = this.#pool(service)
    if (pool === undefined) return
    if (/\bPath\(/.test(rule.args[0] ?? ''))
      this.#report.changed(rule, 'a route takes the path and all below it')
    else if (matches.some(({ path = '/' }) => !path.endsWith('/')))
      this.#report.changed(rule, 'a route takes whole segments of a path: /api and what is below /api/')
    for (const { host, path } of matches) {
      const route = {
        ...(host !== undefined && { host }),
        ...(path !== undefined && path !== '/' && { path }),
      }
      if (!this.#draft.addRoute({ ...route, pool: pool.name }))
        this.#report.lost(rule, 'another router has this host and path already')
    }
    this.#middlewares(router, pool)
  }

  #middlewares(router: Statement, { file }: PoolDraft): void {
    for (const item of this.#keys.items(router, 'middlewares')) {
      const name = (item.args[0] ?? '').replace(/@file$/, '')
      const found = this.#keys.at(this.#root, 'http', 'middlewares', name)
      const [kind] = found?.block ?? []
      if (kind === undefined) this.#report.lost(item, 'it is not in this file')
      else if (kind.name.toLowerCase() === 'headers') this.#headers(kind, file)
      else if (kind.name.toLowerCase() === 'retry') {
        this.#report.take(kind)
        const attempts = integerIn(this.#keys.text(kind, 'attempts'), 1, 100)
        this.#keys.child(kind, 'initialInterval')
        if (attempts !== undefined) file.maxAttempts = attempts
      }
    }
  }

  #headers(headers: Statement, file: PoolDraft['file']): void {
    this.#report.take(headers)
    for (const [key, side] of [
      ['customRequestHeaders', 'requestHeaders'],
      ['customResponseHeaders', 'responseHeaders'],
    ] as const)
      for (const field of this.#keys.items(headers, key)) {
        const [value = ''] = field.args
        const result = editHeader(file, side, field.name, value === '' ? undefined : value, () => false)
        if (typeof result === 'object') this.#report.lost(field, result.why)
      }
  }

  #pool(service: Statement): PoolDraft | undefined {
    const known = this.#pools.get(service.name)
    if (known !== undefined) return known
    const balancer = this.#keys.child(service, 'loadBalancer')
    if (balancer === undefined) {
      this.#report.lost(service, 'limpet has no weighted, mirrored or failover services: a pool has servers')
      return undefined
    }
    const pool = this.#draft.addPool(service.name, `traefik: service ${service.name}`, service.line)
    this.#pools.set(service.name, pool)
    traefikService(service, balancer, pool.file, this.#keys, this.#report)
    return pool
  }

  /** limpet listens on one address: an entry point of routers with TLS, else the first. */
  #listen(routers: readonly Statement[]): void {
    const points = this.#keys.items(this.#root, 'entryPoints')
    for (const point of points)
      this.#draft.trustProxy.push(...this.#keys.texts(point, 'forwardedHeaders', 'trustedIPs'))
    const isSecure = routers.some(router => this.#keys.child(router, 'tls') !== undefined)
    const used = new Set(routers.flatMap(router => this.#keys.texts(router, 'entryPoints')))
    const wanted = points.filter(({ name }) => used.size === 0 || used.has(name))
    const addresses = wanted.flatMap(point => {
      const address = (this.#keys.text(point, 'address') ?? '').replace(/\/tcp$/, '')
      const known = listenIn(address)
      if (known === undefined) this.#report.lost(point, 'limpet listens on a TCP address and port')
      return known === undefined ? [] : [{ ...known, point }]
    })
    const fallback = { host: '0.0.0.0', port: isSecure ? 443 : 80, point: undefined }
    const chosen =
      (isSecure ? addresses.find(({ port }) => port === 443) : undefined) ?? addresses[0] ?? fallback
    for (const { point } of addresses.filter(one => one !== chosen))
      this.#report.lost(point, `limpet listens on one address, ${listenText(chosen)}`)
    for (const point of points.filter(one => !wanted.includes(one)))
      this.#report.lost(point, 'no router of this file uses it')
    const { host, port } = chosen
    if (!isSecure) {
      this.#draft.listen = listenText({ host, port })
      return
    }
    const certificates = this.#keys.items(this.#root, 'tls', 'certificates')
    const cert = this.#keys.text(certificates[0], 'certFile')
    const key = this.#keys.text(certificates[0], 'keyFile')
    for (const other of certificates.slice(1))
      this.#report.lost(other, 'limpet has one certificate; the first is taken')
    if (cert !== undefined && key !== undefined && cert !== '' && key !== '')
      this.#draft.listen = { host, port, tls: { cert, key }, http2: true }
    else {
      this.#draft.listen = listenText({ host, port: port === 443 ? 80 : port })
      this.#report.note({
        line: routers[0]?.line ?? 1,
        kind: 'lost',
        what: 'tls',
        why: 'limpet obtains no certificates: give listen.tls two files',
      })
    }
  }
}

function lossOf({ path = '', name }: Statement): Loss {
  const why = /^(?:tcp|udp)$/.test(name)
    ? 'limpet forwards HTTP and WebSockets only'
    : /certResolver|acme/i.test(path)
      ? 'limpet obtains no certificates: give listen.tls two files'
      : /middlewares/.test(path)
        ? 'limpet has no such middleware'
        : 'limpet has no equivalent'
  return { what: path, why }
}
