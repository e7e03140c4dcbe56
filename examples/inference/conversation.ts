import type { Message } from './prefix-cache.ts'

/** A turn as the client saw it. */
export interface Turn {
  readonly server: string
  readonly promptTokens: number
  readonly cachedTokens: number
}

interface Event {
  readonly choices: readonly { readonly delta: { readonly content: string } }[]
  readonly usage?: {
    readonly prompt_tokens: number
    readonly prompt_tokens_details: { readonly cached_tokens: number }
  }
}

/** Instructions that all conversations have in common, so that every server soon has them cached. */
const SYSTEM: Message = { role: 'system', content: 'Be brief. '.repeat(80) }

/** A client of chat completions, which sends the whole conversation with each turn. */
export class Conversation {
  readonly #url: string
  readonly #id: string | undefined
  readonly #name: string
  readonly #messages: Message[] = [SYSTEM]

  /** @param id sent as `X-Conversation-Id`; undefined: no such field is sent */
  constructor(url: string, id: string | undefined, name = id ?? 'unnamed') {
    this.#url = url
    this.#id = id
    this.#name = name
  }

  async say(): Promise<Turn> {
    const content = `${this.#name} asks about point ${this.#messages.length}. `.repeat(10)
    this.#messages.push({ role: 'user', content })
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(this.#id === undefined ? {} : { 'X-Conversation-Id': this.#id }),
      },
      body: JSON.stringify({ stream: true, messages: this.#messages }),
    })
    if (!response.ok || response.body === null)
      throw new Error(`${response.status} ${(await response.text()).trim()}`)
    return this.#read(response.body, response.headers.get('x-served-by') ?? '')
  }

  async #read(body: ReadableStream<Uint8Array>, server: string): Promise<Turn> {
    let reply = ''
    let usage: Event['usage']
    for await (const { choices, usage: used } of eventsOf(body)) {
      reply += choices[0]?.delta.content ?? ''
      usage = used ?? usage
    }
    if (usage === undefined) throw new Error('the reply is not complete')
    this.#messages.push({ role: 'assistant', content: reply })
    return {
      server,
      promptTokens: usage.prompt_tokens,
      cachedTokens: usage.prompt_tokens_details.cached_tokens,
    }
  }
}

/** The events of a stream in the format of Server-Sent Events, without the last, `[DONE]`. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  let rest = ''
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const blocks = `${rest}${piece}`.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = block.replace(/^data: /, '')
      if (data !== '[DONE]') yield JSON.parse(data) as Event
    }
  }
}
