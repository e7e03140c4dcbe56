import { type BackendCheck, backendKey, type ChecksFromParent } from './check-messages.ts'

/** The end of the channel to one worker. */
export interface CheckPeer {
  /** @param written called when the channel has taken the message, or never when it is closed */
  sendChecks(message: ChecksFromParent, written?: () => void): void
}

/**
 * Results of one pool's checks that one worker has yet to get: the last of each backend. One message is on its way at a
 * time, so a worker that does not read costs the parent a bounded amount of memory.
 */
export class CheckOutbox {
  readonly #peer: CheckPeer
  readonly #pool: string
  readonly #pending = new Map<string, BackendCheck>()
  #isOn: boolean | undefined
  #sentIsOn: boolean | undefined
  #isSending = false
  #isDue = false

  constructor(peer: CheckPeer, pool: string) {
    this.#peer = peer
    this.#pool = pool
  }

  put(result: BackendCheck): void {
    this.#pending.set(backendKey(result), result)
    this.#soon()
  }

  /** Whether the worker makes the checks. It gets the results before. */
  duty(isOn: boolean): void {
    this.#isOn = isOn
    this.#soon()
  }

  /** Messages of one turn of the event loop share one. */
  #soon(): void {
    if (this.#isSending || this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      this.#send()
    })
  }

  #send(): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    const pool = this.#pool
    const isOn = this.#isOn
    const messages: ChecksFromParent[] = []
    if (pending.length > 0) messages.push({ what: 'results', pool, results: pending })
    if (isOn !== undefined && isOn !== this.#sentIsOn) messages.push({ what: 'duty', pool, isOn })
    this.#sentIsOn = isOn
    const last = messages.pop()
    if (last === undefined) return
    this.#isSending = true
    for (const message of messages) this.#peer.sendChecks(message)
    this.#peer.sendChecks(last, () => {
      this.#isSending = false
      if (this.#pending.size > 0 || this.#isOn !== this.#sentIsOn) this.#soon()
    })
  }
}
