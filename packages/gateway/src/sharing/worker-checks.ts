import type { Backend, CheckDuty, CheckedState } from '@limpet/core'
import {
  BEAT_MS,
  type BackendCheck,
  backendKey,
  type ChecksFromParent,
  type ChecksFromWorker,
} from './check-messages.ts'

/** Results wait this long for others, so that they share a message. */
const BATCH_MS = 50

const NOTHING: CheckedState = {
  healthy: false,
  selfDraining: false,
  reason: undefined,
  against: 0,
  atMs: undefined,
}

type Send = (message: ChecksFromWorker) => void

/** The health checks that a worker shares with the others, through its parent: one of them makes those of a pool. */
export class WorkerChecks {
  readonly #send: Send
  readonly #pools = new Map<string, PoolDuty>()

  /** @param send to the parent; does nothing when the channel is closed */
  constructor(send: Send) {
    this.#send = send
    setInterval(() => {
      if (this.#pools.size > 0) send({ what: 'beat' })
    }, BEAT_MS).unref()
  }

  /** Resolves when the parent has told of each pool who checks it, and what is known. */
  get loaded(): Promise<void> {
    return Promise.all(Array.from(this.#pools.values(), async ({ loaded }) => loaded)).then(() => undefined)
  }

  dutyOf(pool: string): CheckDuty {
    let duty = this.#pools.get(pool)
    if (duty !== undefined) return duty
    duty = new PoolDuty(pool, this.#send)
    this.#pools.set(pool, duty)
    this.#send({ what: 'open', pool })
    return duty
  }

  /** Goes on with these pools alone. */
  retain(pools: Pick<ReadonlySet<string>, 'has'>): void {
    for (const pool of this.#pools.keys()) {
      if (pools.has(pool)) continue
      this.#pools.delete(pool)
      this.#send({ what: 'close', pool })
    }
  }

  receive(message: ChecksFromParent): void {
    this.#pools.get(message.pool)?.receive(message)
  }
}

/** The checks of one pool. Those of a pool and of its successor, which a reload has made, are one duty. */
class PoolDuty implements CheckDuty {
  readonly loaded: Promise<void>
  readonly #load: () => void
  readonly #pool: string
  readonly #send: Send
  readonly #known = new Map<string, BackendCheck>()
  readonly #unsent = new Map<string, BackendCheck>()
  readonly #listeners = new Set<(id?: string) => void>()
  #timer: NodeJS.Timeout | undefined
  #isOn = false

  constructor(pool: string, send: Send) {
    this.#pool = pool
    this.#send = send
    const { promise, resolve } = Promise.withResolvers<void>()
    this.loaded = promise
    this.#load = resolve
  }

  get isOn(): boolean {
    return this.#isOn
  }

  known({ id, url }: Backend): CheckedState | undefined {
    return this.#known.get(backendKey({ id, url: url.href }))
  }

  tell({ id, url }: Backend, { healthy, selfDraining, reason, against, atMs }: CheckedState): void {
    const result = { id, url: url.href, healthy, selfDraining, reason, against, atMs, isGone: false }
    const key = backendKey(result)
    const known = this.#known.get(key)
    this.#known.set(key, result)
    this.#put(result, known?.healthy !== healthy || known.selfDraining !== selfDraining)
  }

  forget({ id, url }: Backend): void {
    const gone = { id, url: url.href, isGone: true }
    if (this.#known.delete(backendKey(gone))) this.#put({ ...NOTHING, ...gone }, false)
  }

  watch(listener: (id?: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  receive(message: ChecksFromParent): void {
    if (message.what === 'duty') {
      this.#load()
      if (this.#isOn === message.isOn) return
      this.#isOn = message.isOn
      for (const listener of this.#listeners) listener()
      return
    }
    // The results of this worker are newer.
    if (this.#isOn) return
    for (const result of message.results) {
      if (result.isGone) {
        this.#known.delete(backendKey(result))
        continue
      }
      this.#known.set(backendKey(result), result)
      for (const listener of this.#listeners) listener(result.id)
    }
  }

  #put(result: BackendCheck, isNews: boolean): void {
    if (!this.#isOn) return
    this.#unsent.set(backendKey(result), result)
    if (isNews) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#send({ what: 'results', pool: this.#pool, results: [...this.#unsent.values()] })
    this.#unsent.clear()
  }
}
