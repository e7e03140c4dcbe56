import type { Draft, PoolDraft } from './draft.ts'
import { Annotations, isUnknown } from './ingress-annotations.ts'
import { KeyReader } from './keyed-file.ts'
import type { Report } from './report.ts'
import { BrokenFileError, type Statement } from './statement.ts'
import { readYaml } from './yaml-reader.ts'

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
    if (isUnknown(annotation.name)) this.#report.lost(annotation, 'limpet has no equivalent', annotation.name)
  }
}

/** All that stands below a statement. */
function flat(statement: Statement): readonly Statement[] {
  const all: Statement[] = []
  for (const one of statement.block ?? []) all.push(one, ...flat(one))
  return all
}
