import { createHash } from 'node:crypto'

export interface Message {
  readonly role: 'assistant' | 'system' | 'user'
  readonly content: string
}

/** An estimate: four characters are a token. */
export function tokensOf({ content }: Message): number {
  return Math.ceil(content.length / 4)
}

/**
 * The prefixes that a server need not compute again, as the key-value cache of vLLM or SGLang. An entry is a message with
 * all before it; the entries that were not used for the longest time are evicted.
 */
export class PrefixCache {
  readonly #capacity: number
  /** Tokens of the last message of a prefix, by the prefix's hash; the newest use is the last. */
  readonly #entries = new Map<string, number>()
  #tokens = 0

  /** @param capacity in tokens */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The number of tokens at the beginning of these messages that are cached. */
  cachedTokens(messages: readonly Message[]): number {
    const keys = keysOf(messages)
    const missing = keys.findIndex(key => !this.#entries.has(key))
    const cached = missing === -1 ? keys : keys.slice(0, missing)
    return cached.reduce((sum, key) => sum + (this.#entries.get(key) ?? 0), 0)
  }

  add(messages: readonly Message[]): void {
    const keys = keysOf(messages)
    // From the last to the first: a prefix without its beginning would be of no use, so the beginning is evicted last.
    for (const [index, key] of [...keys.entries()].toReversed()) {
      const message = messages[index]
      if (message !== undefined) this.#touch(key, tokensOf(message))
    }
    for (const key of this.#entries.keys()) {
      if (this.#tokens <= this.#capacity) break
      this.#remove(key)
    }
  }

  #touch(key: string, tokens: number): void {
    this.#remove(key)
    this.#entries.set(key, tokens)
    this.#tokens += tokens
  }

  #remove(key: string): void {
    this.#tokens -= this.#entries.get(key) ?? 0
    this.#entries.delete(key)
  }
}

/** For each message the hash of it and all before it. */
function keysOf(messages: readonly Message[]): readonly string[] {
  let key = ''
  return messages.map(({ role, content }) => {
    key = createHash('sha256').update(`${key} ${role} ${content}`).digest('base64')
    return key
  })
}
