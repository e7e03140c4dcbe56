import type { ServerResponse } from 'node:http'

/** Events that a feed keeps for streams that were interrupted; the oldest are evicted. */
const MAX_EVENTS = 100

/** The events of one visitor, and the streams that are open. */
export class Feed {
  readonly #backend: string
  readonly #events: { readonly id: number; readonly text: string }[] = []
  readonly #streams = new Set<ServerResponse>()
  #lastId = 0

  constructor(backend: string) {
    this.#backend = backend
  }

  add(text: string): number {
    this.#lastId += 1
    const event = { id: this.#lastId, text }
    this.#events.push(event)
    if (this.#events.length > MAX_EVENTS) this.#events.shift()
    for (const stream of this.#streams) stream.write(this.#written(event))
    return event.id
  }

  /** Begins with the events that the client has missed, by the field that a browser sends when it connects again. */
  stream(response: ServerResponse, lastEventId: string | undefined): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    // The time after which a browser connects again.
    response.write('retry: 500\n\n')
    const seen = Number(lastEventId ?? 0)
    for (const event of this.#events) if (event.id > seen) response.write(this.#written(event))
    this.#streams.add(response)
    response.once('close', () => this.#streams.delete(response))
  }

  #written({ id, text }: { readonly id: number; readonly text: string }): string {
    return `id: ${id}\ndata: ${JSON.stringify({ backend: this.#backend, text })}\n\n`
  }
}
