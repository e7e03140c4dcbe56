import type { Draft, PoolDraft } from './draft.ts'
import { endpointIn } from './endpoint.ts'
import { mapUpstream } from './nginx-upstream.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** A `proxy_pass`: the name is that of an upstream, or an address. */
interface PassTarget {
  readonly scheme: 'http' | 'https'
  readonly name: string
  readonly uri: string
}

/** The pools of an nginx.conf: one for each upstream or address that requests are passed to. */
export class NginxPools {
  readonly #upstreams: ReadonlyMap<string, Statement>
  readonly #maps: readonly Statement[]
  readonly #draft: Draft
  readonly #report: Report
  /** By scheme and name. */
  readonly #pools = new Map<string, PoolDraft>()

  /** @param top the statements of the file and of its `http` block */
  constructor(top: readonly Statement[], draft: Draft, report: Report) {
    this.#upstreams = new Map(
      top.filter(({ name }) => name === 'upstream').map(one => [one.args[0] ?? '', one]),
    )
    this.#maps = top.filter(({ name }) => name === 'map')
    this.#draft = draft
    this.#report = report
  }

  /** The pool of an upstream, or of the address that stands in its place. */
  of({ scheme, name }: PassTarget, pass: Statement): PoolDraft | undefined {
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
}

/** Undefined: it has a variable, or is no URL of HTTP. */
export function targetOf(text: string): PassTarget | undefined {
  if (text.includes('$')) return undefined
  const [, scheme = '', socket, host, uri = ''] =
    /^(https?):\/\/(?:(unix:\/[^:\s]+):?|([^/\s]+))(\/\S*)?$/i.exec(text) ?? []
  const name = socket ?? host
  if (name === undefined) return undefined
  return { scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http', name, uri }
}
