import type { Attributes } from '@opentelemetry/api'
import type { MetricsSource } from './metrics.ts'

/** The addresses of backends, by the ids that events name. */
export class BackendAddresses {
  readonly #sources: ReadonlyMap<string, MetricsSource>
  readonly #known = new Map<string, ReadonlyMap<string, Attributes>>()

  constructor(sources: readonly MetricsSource[]) {
    this.#sources = new Map(sources.map(source => [source.stats().pool, source]))
  }

  hasPool(pool: string): boolean {
    return this.#sources.has(pool)
  }

  /** The attributes of a client's request to a backend. */
  attributesOf(pool: string, backend: string): Attributes {
    return this.#find(pool, backend) ?? { 'limpet.pool': pool, 'limpet.backend': backend }
  }

  /** Another server may take the id of a backend that has left: the members have changed. */
  changed(pool: string): void {
    this.#known.delete(pool)
  }

  #find(pool: string, backend: string): Attributes | undefined {
    let known = this.#known.get(pool)
    if (known === undefined) {
      const backends = this.#sources.get(pool)?.stats().backends ?? []
      known = new Map(backends.map(({ id, url }) => [id, addressAttributes(pool, id, new URL(url))]))
      this.#known.set(pool, known)
    }
    return known.get(backend)
  }
}

function addressAttributes(pool: string, backend: string, url: URL): Attributes {
  const { protocol, hostname, port, pathname } = url
  const isSocket = protocol === 'unix:'
  return {
    'server.address': isSocket ? decodeURIComponent(pathname) : hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(!isSocket && { 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) }),
    'limpet.pool': pool,
    'limpet.backend': backend,
  }
}
