import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { OptionError, type PoolFigures } from '@limpet/core'
import { type Exposition, exposition, inTurns, type MetricNames } from './exposition.ts'

/** A pool whose figures are shown: the affinity of any adapter. */
export interface MetricsSource {
  stats(): PoolFigures
}

/** The parts of a request that a scrape depends on. */
export interface ScrapeRequest {
  readonly headers: { readonly accept?: string | undefined }
  readonly url?: string | undefined
}

/** The metrics of some pools. */
export interface Metrics {
  /**
   * The metrics as they are now, for the response of any framework. Its format follows the request's Accept, its names
   * the `names` of the query: `?names=haproxy`.
   * @throws OptionError for other names
   */
  expose(request?: ScrapeRequest): { readonly contentType: string; readonly text: string }
  /** The same as a handler of node:http and Express. It serves anything that reaches it: who may, is decided before. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
}

/** @param sources the affinities of an app, each with a pool of another name */
export function metrics(sources: MetricsSource | readonly MetricsSource[]): Metrics {
  const all = 'stats' in sources ? [sources] : sources
  function scraped({ headers, url }: ScrapeRequest): Exposition {
    return exposition(
      all.map(source => source.stats()),
      headers.accept,
      namesIn(url),
    )
  }
  return {
    expose(request = { headers: {} }) {
      const { contentType, pieces } = scraped(request)
      return { contentType, text: [...pieces].join('') }
    },
    handler(request, response) {
      try {
        const { contentType, pieces } = scraped(request)
        response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' })
        // A scraper that leaves has no use for the rest.
        pipeline(Readable.from(inTurns(pieces)), response).catch(() => undefined)
      } catch (error) {
        if (!(error instanceof OptionError)) throw error
        response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' }).end(error.message)
      }
    },
  }
}

/** The names that a request asks for, by its url. @throws OptionError for unknown ones */
export function namesIn(url = ''): MetricNames {
  const names = new URLSearchParams(url.split('?')[1]).get('names') ?? 'limpet'
  if (names !== 'limpet' && names !== 'haproxy') throw new OptionError('names', names, 'limpet or haproxy')
  return names
}
