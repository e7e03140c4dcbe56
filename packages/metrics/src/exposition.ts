import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { PoolFigures } from '@limpet/core'
import { type Format, textOf } from './family-text.ts'
import { haproxyFamilies } from './haproxy-families.ts'
import { limpetFamilies } from './limpet-families.ts'

/** The names of the metrics: limpet's own, or those of HAProxy's exporter. */
export type MetricNames = 'limpet' | 'haproxy'

/** The result of a scrape. */
export interface Exposition {
  readonly contentType: string
  /** The text in pieces of some kilobytes, which are made when they are asked for. */
  readonly pieces: Iterable<string>
}

/** The format that an Accept field asks for: OpenMetrics 1.0 where it is preferred, else the text format 0.0.4. */
function formatFor(accept: string | undefined): Format {
  let openMetrics = 0
  let text = 0
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    const q = parameters.find(parameter => parameter.startsWith('q='))
    const quality = q === undefined ? 1 : Number(q.slice(2)) || 0
    if (type === 'application/openmetrics-text') openMetrics = Math.max(openMetrics, quality)
    else if (type === 'text/plain' || type === 'text/*' || type === '*/*') text = Math.max(text, quality)
  }
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'prometheus'
}

const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** @param accept the Accept field of the request @param names the names of the metrics @default 'limpet' */
export function exposition(
  pools: readonly PoolFigures[],
  accept?: string,
  names: MetricNames = 'limpet',
): Exposition {
  const format = formatFor(accept)
  return { contentType: CONTENT_TYPES[format], pieces: piecesOf(pools, names, format) }
}

function* piecesOf(pools: readonly PoolFigures[], names: MetricNames, format: Format): Generator<string> {
  yield* textOf(names === 'haproxy' ? haproxyFamilies(pools) : limpetFamilies(pools, BUILD), format)
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}
const BUILD = { version, node: process.version }

/** Work between two turns of the event loop, at most. */
const TURN_MS = 1

/** The pieces, with the event loop's turn in between, so that a scrape of many backends does not hold up requests. */
export async function* inTurns(pieces: Iterable<string>): AsyncGenerator<string> {
  // Reading the figures was a turn's work already.
  await setImmediate()
  let startedMs = performance.now()
  for (const piece of pieces) {
    yield piece
    if (performance.now() - startedMs < TURN_MS) continue
    await setImmediate()
    startedMs = performance.now()
  }
}
