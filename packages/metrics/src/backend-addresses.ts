import type { Attributes } from '@opentelemetry/api'
import type { MetricsSource } from './metrics.ts'

interface Address {
  readonly url: URL
  readonly attributes: Attributes
}

/** The addresses of backends, by the ids that events name. */
export class BackendAddresses {
  readonly #sources: ReadonlyMap<string, MetricsSource>
  readonly #known = new Map<string, ReadonlyMap<string, Address>>()

  constructor(sources: readonly MetricsSource[]) {
    this.#sources = new Map(sources.map(source => [source.stats().pool, source]))
  }

  hasPool(pool: string): boolean {
    return this.#sources.has(pool)
  }

  /** Undefined for a backend that has left its pool. */
  urlOf(pool: string, backend: string): URL | undefined {
    return this.#find(pool, backend)?.url
  }

  /** The attributes of a client's request to a backend. */
  attributesOf(pool: string, backend: string): Attributes {
    return this.#find(pool, backend)?.attributes ?? { 'limpet.pool': pool, 'limpet.backend': backend }
  }

  /** Another server may take the id of a backend that has left: the members have changed. */
  changed(pool: string): void {
    this.#known.delete(pool)
  }

  #find(pool: string, backend: string): Address | undefined {
    let known = this.#known.get(pool)
    if (known === undefined) {
      const backends = this.#sources.get(pool)?.stats().backends ?? []
      known = new Map(backends.map(({ id, url }) => [id, addressOf(pool, id, new URL(url))]))
      this.#known.set(pool, known)
    }
    return known.get(backend)
  }
}

function addressOf(pool: string, backend: string, url: URL): Address {
  const { protocol, hostname, port, pathname } = url
  const isSocket = protocol === 'unix:'
  return {
    url,
    attributes: {
      'server.address': isSocket ? decodeURIComponent(pathname) : hostname.replace(/^\[(.*)\]$/, '$1'),
      ...(!isSocket && { 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) }),
      'limpet.pool': pool,
      'limpet.backend': backend,
    },
  }
}
