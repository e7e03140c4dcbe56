import { isIPv6 } from 'node:net'

/** Wrong tokens of one network in a minute; further ones get 429. */
const MAX_WRONG = 10
const MINUTE_MS = 60_000
/** Networks that are counted one by one. */
const MAX_NETWORKS = 1_000
/** The counter of all other networks, while so many are counted: that keeps the memory bounded and forgets none. */
const OTHERS = ''

interface Counter {
  count: number
  readonly untilMs: number
}

/** Counts the wrong tokens of each network: an IPv4 address, or the 64 bits of an IPv6 address that one client has. */
export class WrongTokens {
  /** In the order in which they end. */
  readonly #counters = new Map<string, Counter>()

  /**
   * Notes a wrong token.
   * @param nowMs milliseconds of a clock that is never set back
   * @returns milliseconds until the network may try again; 0: it may at once
   */
  note(address: string, nowMs: number): number {
    this.#forgetUntil(nowMs)
    const network = networkOf(address)
    const known = this.#counters.get(network)
    const name = known === undefined && this.#counters.size >= MAX_NETWORKS ? OTHERS : network
    const counter = known ?? this.#counters.get(name) ?? { count: 0, untilMs: nowMs + MINUTE_MS }
    counter.count += 1
    this.#counters.set(name, counter)
    return counter.count > MAX_WRONG ? counter.untilMs - nowMs : 0
  }

  #forgetUntil(nowMs: number): void {
    for (const [network, { untilMs }] of this.#counters) {
      if (untilMs > nowMs) return
      this.#counters.delete(network)
    }
  }
}

function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!isIPv6(plain)) return plain
  // The parser of URLs writes each address in one way, and has no zones.
  const { hostname } = new URL(`http://[${plain.replace(/%.*/, '')}]`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}
