import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Discovery } from '@limpet/core'
import { ApiError, bodyText, get } from './api-request.ts'
import { backoffMs } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import { type EndpointSlice, metadataOf, parseSlice } from './endpoint-slice.ts'
import { isFields } from './fields.ts'
import type { KubernetesSettings } from './kubernetes-options.ts'
import { LineSplitter } from './line-splitter.ts'
import { Pace } from './pace.ts'

export interface SliceListener {
  /** Takes all slices of the service, after a change. */
  changed(slices: readonly EndpointSlice[]): void
  failed(error: Error): void
}

/** 10,000 endpoints are about 5 MB. */
const MAX_LIST_BYTES = 128 * 1024 * 1024
/** A watch that ends sooner without an event is a failure: something in between may close all of them. */
const MIN_WATCH_MS = 5_000
const MAX_RETRY_AFTER_MS = 60_000

/** Lists the slices of a service, and follows them by watches, until it is closed. */
export function watchSlices(
  cluster: Cluster,
  settings: KubernetesSettings,
  listener: SliceListener,
): Discovery {
  const closing = new AbortController()
  const watch = new SliceWatch(cluster, settings, listener, closing.signal)
  void watch.run()
  return {
    close() {
      closing.abort()
      watch.close()
    },
  }
}

class SliceWatch {
  readonly #cluster: Cluster
  readonly #settings: KubernetesSettings
  readonly #listener: SliceListener
  readonly #signal: AbortSignal
  readonly #pace = new Pace(() => this.#listener.changed([...this.#slices.values()]))
  #slices = new Map<string, EndpointSlice>()
  /** The version that the next watch begins after; undefined: the slices are to be listed first. */
  #version: string | undefined
  #failures = 0
  /** The version was too old, and no event has come since. */
  #isExpired = false

  constructor(cluster: Cluster, settings: KubernetesSettings, listener: SliceListener, signal: AbortSignal) {
    this.#cluster = cluster
    this.#settings = settings
    this.#listener = listener
    this.#signal = signal
  }

  /** Settles when it is closed. Never rejects. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      let retryAfterMs = 0
      try {
        if (this.#version === undefined) await this.#list()
        await this.#watch()
      } catch (error) {
        if (this.#signal.aborted) return
        retryAfterMs = this.#note(error as Error)
      }
      const waitMs = Math.max(backoffMs(this.#failures), Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))
      await delay(waitMs, undefined, { signal: this.#signal, ref: false }).catch(() => undefined)
    }
  }

  close(): void {
    this.#pace.close()
  }

  /** Known backends stay. @returns the delay that the API server asks for */
  #note(error: Error): number {
    this.#failures += 1
    const { status, retryAfterMs = 0 } = error instanceof ApiError ? error : { status: 0 }
    // The version is too old for the API server's memory, as every version is one day (KEP-956): that is no failure.
    const isExpired = status === 410
    if (isExpired) this.#version = undefined
    if (!isExpired || this.#isExpired) this.#listener.failed(error)
    this.#isExpired = isExpired
    return retryAfterMs
  }

  async #list(): Promise<void> {
    const timeoutMs = this.#settings.requestTimeoutMs
    const deadline = AbortSignal.timeout(timeoutMs)
    let text: string
    try {
      const response = await this.#get('', timeoutMs, deadline)
      text = await bodyText(response, MAX_LIST_BYTES)
    } catch (error) {
      if (!deadline.aborted) throw error
      throw new Error(`the API server has not sent the EndpointSlices within ${timeoutMs} ms`, {
        cause: error,
      })
    }
    const list = parsedJson(text)
    const { items } = isFields(list) ? list : {}
    if (items !== null && !Array.isArray(items))
      throw new Error('the API server has sent something that is no EndpointSliceList')
    const version = versionOf(list)
    const slices = (items ?? []).map(parseSlice)
    this.#slices = new Map(slices.map(slice => [slice.name, slice]))
    this.#version = version
    this.#pace.now()
  }

  async #watch(): Promise<void> {
    const { watchTimeoutMs, requestTimeoutMs } = this.#settings
    // Of many gateways that began together, not all are to come back together.
    const seconds = Math.ceil((watchTimeoutMs / 1_000) * (0.8 + Math.random() / 5))
    const startedMs = performance.now()
    const silence = AbortSignal.timeout(requestTimeoutMs + seconds * 1_100)
    const query = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${encodeURIComponent(this.#version ?? '')}`
    const response = await this.#get(query, requestTimeoutMs, silence)
    let events = 0
    const lines = new LineSplitter()
    for await (const piece of piecesOf(response)) {
      try {
        for (const line of lines.push(piece)) {
          this.#take(line)
          events += 1
        }
      } catch (error) {
        // The missed events are unknown.
        this.#version = undefined
        throw error
      }
    }
    if (silence.aborted) throw new Error(`the API server has not ended a watch of ${seconds} s`)
    if (events > 0 || performance.now() - startedMs >= MIN_WATCH_MS) this.#failures = 0
    else this.#failures += 1
  }

  /** @throws Error for anything that is no event of a watch, ApiError for an event of the type ERROR */
  #take(line: string): void {
    const event = parsedJson(line)
    const { type, object } = isFields(event) ? event : {}
    if (type === 'ERROR') {
      const { code, message } = isFields(object) ? object : {}
      throw new ApiError(typeof code === 'number' ? code : 500, typeof message === 'string' ? message : '')
    }
    const version = versionOf(object)
    if (type === 'ADDED' || type === 'MODIFIED') {
      const slice = parseSlice(object)
      this.#slices.set(slice.name, slice)
      this.#pace.soon()
    } else if (type === 'DELETED') {
      this.#slices.delete(String(metadataOf(object)['name']))
      this.#pace.soon()
    } else if (type !== 'BOOKMARK') {
      throw new Error('the API server has sent an event of an unknown type')
    }
    this.#version = version
    this.#failures = 0
    this.#isExpired = false
  }

  async #get(query: string, timeoutMs: number, deadline: AbortSignal): Promise<IncomingMessage> {
    const access = await this.#cluster()
    const { service, namespace = access.namespace } = this.#settings
    const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`
    const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`)
    return get(
      access,
      `${path}?labelSelector=${selector}${query}`,
      timeoutMs,
      AbortSignal.any([this.#signal, deadline]),
    )
  }
}

/** A stream that is cut has ended: the next watch goes on after the last event. */
async function* piecesOf(response: IncomingMessage): AsyncGenerator<string> {
  try {
    yield* response.setEncoding('utf8') as AsyncIterable<string>
  } catch {
    // It is counted by how short it was.
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('the API server has sent something that is no JSON')
  }
}

function versionOf(object: unknown): string {
  const { resourceVersion } = metadataOf(object)
  if (typeof resourceVersion !== 'string' || resourceVersion === '')
    throw new Error('the API server has sent an object without a resourceVersion')
  return resourceVersion
}
