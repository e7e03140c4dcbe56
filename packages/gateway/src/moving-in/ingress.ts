import type { PoolFile } from '../config/pool-file.ts'
import type { Draft, PolicyFile, PoolDraft } from './draft.ts'
import { KeyReader } from './keyed-file.ts'
import { hashKey, MOVES_ONCE } from './nginx-balance.ts'
import type { Report } from './report.ts'
import { BrokenFileError, type Statement } from './statement.ts'
import { durationIn, integerIn, MAX_LIFE_MS, sizeIn } from './units.ts'
import { readYaml } from './yaml-reader.ts'

const PREFIX = 'nginx.ingress.kubernetes.io/'

/** Makes a limpet file of Ingress objects of Kubernetes, with the annotations of ingress-nginx. */
export function mapIngress(text: string, draft: Draft, report: Report): void {
  const documents = readYaml(text)
  const mapper = new IngressMapper(documents, draft, report)
  mapper.map()
  for (const statements of documents)
    report.leftovers(statements, ({ path = '' }) => ({ what: path, why: 'limpet has no equivalent' }))
}

interface ServicePort {
  readonly service: string
  readonly port: string
}

class IngressMapper {
  readonly #objects: readonly Statement[]
  readonly #draft: Draft
  readonly #report: Report
  readonly #keys: KeyReader
  readonly #pools = new Map<string, PoolDraft>()

  constructor(documents: readonly (readonly Statement[])[], draft: Draft, report: Report) {
    this.#keys = new KeyReader(report)
    const roots = documents.map((block): Statement => ({
      name: '',
      args: [],
      line: block[0]?.line ?? 1,
      block,
    }))
    // `kubectl get -o yaml` makes lists.
    this.#objects = roots.flatMap(root =>
      this.#keys.text(root, 'kind')?.endsWith('List') === true ? this.#keys.items(root, 'items') : [root],
    )
    this.#draft = draft
    this.#report = report
  }

  map(): void {
    const ingresses = this.#objects.filter(object => this.#keys.text(object, 'kind') === 'Ingress')
    if (ingresses.length === 0) throw new BrokenFileError(1, 'there is no object of the kind Ingress')
    for (const object of this.#objects)
      if (this.#keys.text(object, 'kind') !== 'Ingress')
        this.#report.take(...(object.block ?? []), ...flat(object))
    for (const ingress of ingresses) this.#ingress(ingress)
    this.#draft.listen = '0.0.0.0:80'
  }

  #ingress(ingress: Statement): void {
    this.#keys.child(ingress, 'apiVersion')
    const metadata = this.#keys.child(ingress, 'metadata')
    const namespace = this.#keys.text(metadata, 'namespace') ?? 'default'
    for (const one of metadata?.block ?? [])
      if (one.name !== 'annotations') this.#report.take(one, ...flat(one))
    const spec = this.#keys.child(ingress, 'spec')
    this.#keys.child(spec, 'ingressClassName')
    const status = this.#keys.child(ingress, 'status')
    if (status !== undefined) this.#report.take(...flat(status))
    const annotations = new Map(this.#keys.items(metadata, 'annotations').map(one => [one.name, one]))
    for (const { host, path, backend, line } of this.#paths(spec)) {
      const target = this.#target(backend)
      if (target === undefined) continue
      const pool = this.#pool(target, namespace, line, annotations)
      const route = { ...(host !== undefined && { host }), ...(path !== '/' && { path }), pool: pool.name }
      if (!this.#draft.addRoute(route))
        this.#report.lost(backend, 'another rule has this host and path already')
    }
    const tls = this.#keys.child(spec, 'tls')
    if (tls !== undefined) {
      this.#report.take(...flat(tls))
      this.#report.lost(tls, 'mount the secret, and give listen.tls its two files')
    }
    for (const annotation of annotations.values()) this.#leftAnnotation(annotation)
  }

  /** Rules in their order, and the default backend behind them. */
  #paths(
    spec: Statement | undefined,
  ): readonly { host: string | undefined; path: string; backend: Statement; line: number }[] {
    const found: { host: string | undefined; path: string; backend: Statement; line: number }[] = []
    for (const rule of this.#keys.items(spec, 'rules')) {
      const host = this.#keys.text(rule, 'host')
      for (const entry of this.#keys.items(rule, 'http', 'paths')) {
        const path = this.#keys.text(entry, 'path') ?? '/'
        const type = this.#keys.text(entry, 'pathType')
        const backend = this.#keys.child(entry, 'backend')
        if (backend === undefined) continue
        if (host?.includes('*') === true)
          this.#report.lost(rule, 'a route of limpet has one exact host; list the hosts')
        else if (!/^\/[\w/.~%-]*$/.test(path))
          this.#report.lost(entry, 'a route of limpet is a path and all below it, not a pattern')
        else found.push({ host, path, backend, line: entry.line })
        if (type === 'Exact') this.#report.changed(entry, 'a route takes the path and all below it')
      }
    }
    const fallback = this.#keys.child(spec, 'defaultBackend')
    if (fallback !== undefined)
      found.push({ host: undefined, path: '/', backend: fallback, line: fallback.line })
    return found
  }

  #target(backend: Statement): ServicePort | undefined {
    const service = this.#keys.text(backend, 'service', 'name') ?? this.#keys.text(backend, 'serviceName')
    const port =
      this.#keys.text(backend, 'service', 'port', 'number') ??
      this.#keys.text(backend, 'service', 'port', 'name') ??
      this.#keys.text(backend, 'servicePort')
    if (service !== undefined && port !== undefined && /^[\w-]+$/.test(service) && /^[\w-]+$/.test(port))
      return { service, port }
    this.#report.lost(backend, 'limpet needs a service with a port')
    return undefined
  }

  #pool(
    { service, port }: ServicePort,
    namespace: string,
    line: number,
    annotations: ReadonlyMap<string, Statement>,
  ): PoolDraft {
    const name = `${namespace}-${service}-${port}`
    const known = this.#pools.get(name)
    if (known !== undefined) return known
    const pool = this.#draft.addPool(`${service}-${port}`, `ingress: service ${service}`, line)
    this.#pools.set(name, pool)
    const { file } = pool
    const isNumber = /^\d{1,5}$/.test(port)
    file.discovery = { kubernetes: { service, namespace, port: isNumber ? Number(port) : port } }
    if (isNumber)
      this.#report.note({
        line,
        kind: 'changed',
        what: `service ${service}`,
        why: 'limpet speaks to the pods themselves: where the port of the service is another one, give theirs, or its name',
      })
    new Annotations(annotations, this.#report).fill(file, name)
    return pool
  }

  #leftAnnotation(annotation: Statement): void {
    const own = annotation.name.startsWith(PREFIX)
    if (own && !Annotations.KNOWN.has(annotation.name.slice(PREFIX.length)))
      this.#report.lost(annotation, 'limpet has no equivalent', annotation.name)
  }
}

/** All that stands below a statement. */
function flat(statement: Statement): readonly Statement[] {
  const all: Statement[] = []
  for (const one of statement.block ?? []) all.push(one, ...flat(one))
  return all
}

/** The annotations of ingress-nginx for a pool. */
class Annotations {
  static readonly KNOWN: ReadonlySet<string> = new Set([
    'affinity',
    'affinity-mode',
    'session-cookie-name',
    'session-cookie-path',
    'session-cookie-domain',
    'session-cookie-samesite',
    'session-cookie-secure',
    'session-cookie-max-age',
    'session-cookie-expires',
    'session-cookie-change-on-failure',
    'upstream-hash-by',
    'load-balance',
    'proxy-connect-timeout',
    'proxy-read-timeout',
    'proxy-send-timeout',
    'proxy-body-size',
    'backend-protocol',
    'proxy-next-upstream-tries',
    'proxy-http-version',
    'proxy-buffering',
    'proxy-request-buffering',
    'proxy-buffer-size',
    'ssl-redirect',
  ])
  readonly #annotations: ReadonlyMap<string, Statement>
  readonly #report: Report

  constructor(annotations: ReadonlyMap<string, Statement>, report: Report) {
    this.#annotations = annotations
    this.#report = report
  }

  fill(file: PoolFile, name: string): void {
    if (this.#text('affinity') === 'cookie') file.affinity = [this.#cookie(name)]
    const hash = this.#of('upstream-hash-by')
    if (hash !== undefined) this.#hash(hash, file)
    if (this.#text('load-balance') === 'ewma') {
      file.balance = 'random-two'
      this.#changed('load-balance', 'limpet counts requests in flight, and measures no response times')
    }
    const connect = durationIn(this.#text('proxy-connect-timeout') ?? '', 's')
    const response = durationIn(this.#text('proxy-read-timeout') ?? '', 's')
    if (connect !== undefined || response !== undefined)
      file.timeouts = {
        ...(connect !== undefined && { connect }),
        ...(response !== undefined && { response, tunnel: response }),
      }
    const size = sizeIn(this.#text('proxy-body-size') ?? '')
    if (size !== undefined && size !== '0B') file.bodyLimit = size
    const tries = integerIn(this.#text('proxy-next-upstream-tries'), 1, 100)
    if (tries !== undefined) file.maxAttempts = tries
    const protocol = this.#of('backend-protocol')
    if (
      protocol?.args[0]?.toUpperCase() === 'HTTPS' &&
      file.discovery !== undefined &&
      'kubernetes' in file.discovery
    ) {
      file.discovery.kubernetes.protocol = 'https'
      file.tls = { verify: false }
    } else if (protocol !== undefined && protocol.args[0]?.toUpperCase() !== 'HTTP')
      this.#report.lost(protocol, 'limpet forwards to HTTP backends', protocol.name)
    if (this.#text('ssl-redirect') === 'true') this.#lost('ssl-redirect', 'limpet sends no redirects')
  }

  #cookie(name: string): PolicyFile {
    const cookie: Extract<PolicyFile, { cookie: unknown }>['cookie'] = {
      name: this.#text('session-cookie-name') ?? 'INGRESSCOOKIE',
      maxLife: '0s',
    }
    const path = this.#text('session-cookie-path')
    if (path?.startsWith('/') === true) cookie.path = path
    const domain = this.#text('session-cookie-domain')
    if (domain !== undefined) cookie.domain = domain.replace(/^\./, '')
    const same = this.#text('session-cookie-samesite')?.toLowerCase()
    if (same === 'lax' || same === 'strict' || same === 'none') cookie.sameSite = same
    if (this.#text('session-cookie-secure') === 'true' || cookie.sameSite === 'none') cookie.secure = true
    const age = this.#text('session-cookie-max-age') ?? this.#text('session-cookie-expires') ?? '0'
    const life = durationIn(age, 's', MAX_LIFE_MS)
    if (life !== undefined && life !== '0s') Object.assign(cookie, { maxLife: life, persistent: true })
    if (this.#text('affinity-mode') === 'persistent') cookie.accept = [{ ingressNginx: { name } }]
    else this.#changed('affinity', 'values of the balanced mode name no backend, so each session moves once')
    return { cookie }
  }

  #hash(annotation: Statement, file: PoolFile): void {
    const hash = hashKey(annotation.args[0] ?? '')
    if (hash === undefined) {
      this.#report.lost(
        annotation,
        'limpet hashes the address, the path, or one field, parameter or cookie',
        annotation.name,
      )
      return
    }
    file.balance = hash === 'ip' ? { hash, ipv6Prefix: 128 } : { hash }
    this.#report.changed(annotation, MOVES_ONCE, annotation.name)
  }

  #of(key: string): Statement | undefined {
    return this.#annotations.get(`${PREFIX}${key}`)
  }

  #text(key: string): string | undefined {
    return this.#of(key)?.args[0]
  }

  #changed(key: string, why: string): void {
    const annotation = this.#of(key)
    if (annotation !== undefined) this.#report.changed(annotation, why, annotation.name)
  }

  #lost(key: string, why: string): void {
    const annotation = this.#of(key)
    if (annotation !== undefined) this.#report.lost(annotation, why, annotation.name)
  }
}
