import { ConnectionTimeoutError, createClient } from '@redis/client'
import { Breaker } from './breaker.ts'
import { CONNECT_TIMEOUT_MS, Locator } from './locator.ts'
import type { ParsedRedis } from './redis-options.ts'
import { DeadlineError, within } from './within.ts'

export type Client = ReturnType<typeof createClient>

export interface ConnectionSettings {
  readonly redis: ParsedRedis
  /** How long a look-up may take. */
  readonly deadlineMs: number
  /** A key of the slot that all others are in. */
  readonly key: string
  /** Whether invalidation messages are wanted. */
  readonly isTracking: boolean
}

export interface ConnectionEvents {
  /** Makes a new connection ready; it is used when this resolves. */
  prepare(client: Client): Promise<void>
  /** It is used from now on: it is new, or the breaker has closed. */
  usable(): void
  /** A key was changed by another connection; null: all were. */
  invalidated?(key: string | null): void
}

/** Is told when the connection comes and goes. */
export interface ConnectionStates {
  up(): void
  down(error: unknown): void
  refused(part: string, error: unknown): void
}

const MIN_RETRY_MS = 50
const MAX_RETRY_MS = 5_000
/** The time between two heartbeats, and the least time for a reply. A look-up's deadline, where it is longer, is the time for a reply. */
const HEARTBEAT_MS = 500
/** After this many failed probes the connection itself is given up: its peer may be gone without a word. */
const MAX_FAILED_PROBES = 3
const MAX_MOVES = 5

/**
 * One connection of our own to the server that has the keys of a pool: RESP3, no offline queue, found again by itself
 * when it breaks, and watched by a circuit breaker and a heartbeat.
 */
export class Connection {
  readonly #settings: ConnectionSettings
  readonly #events: ConnectionEvents
  readonly #states: ConnectionStates
  readonly #locator: Locator
  readonly #breaker: Breaker
  #client: Client | undefined
  /** Of commands to the server; undefined while it is not to be asked. */
  client: Client | undefined
  /** The server tells of changed keys. It may not, by its version or its access list. */
  isTracked: boolean
  #retryMs = MIN_RETRY_MS
  #moves = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  readonly #tried = Promise.withResolvers<void>()

  constructor(settings: ConnectionSettings, states: ConnectionStates, events: ConnectionEvents) {
    this.#settings = settings
    this.#events = events
    this.#states = states
    this.#locator = new Locator(settings.redis)
    this.isTracked = settings.isTracking
    this.#breaker = new Breaker({
      probe: async () => this.#probe(),
      opened: error => {
        this.client = undefined
        states.down(error)
      },
      closed: () => this.#isUsable(),
    })
    void this.#connect()
  }

  /**
   * Resolves when the server can be asked for the first time, or has refused once. A server that is late may come: this
   * process may be starved, or the server be busy.
   */
  get tried(): Promise<void> {
    return this.#tried.promise
  }

  /** A command has been answered in time. */
  succeeded(): void {
    this.#breaker.succeeded()
  }

  /** A command was not answered in time, or was refused. */
  failed(error: unknown): void {
    const to = movedTo(error)
    if (to !== undefined) this.#move(to)
    else this.#breaker.failed(error)
  }

  /** Connects anew: the server refuses writes, so another may be the primary by now. */
  leave(): void {
    this.#drop()
    void this.#connect()
  }

  /** Ends it. Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#tried.resolve()
    this.#drop()
  }

  async #connect(): Promise<void> {
    let client: Client | undefined
    try {
      client = this.#newClient(await this.#locator.next())
      this.#client = client
      if (this.#isClosed) throw new Error('closed')
      await within(CONNECT_TIMEOUT_MS, this.#open(client))
      if (this.#client !== client) return
      this.#locator.stay()
      this.#retryMs = MIN_RETRY_MS
      this.#moves = 0
      this.#breaker.reset()
      this.#isUsable()
      this.#beat(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  #newClient(options: Parameters<typeof createClient>[0] & object): Client {
    const client: Client = createClient({
      ...options,
      RESP: 3,
      disableOfflineQueue: true,
      emitInvalidate: this.isTracked,
      maintNotifications: 'disabled',
      disableClientInfo: true,
      name: 'limpet',
      // Its own timeout costs a signal for each command. Ours waits for the reply, not for the write alone.
      commandOptions: { timeout: 0 },
      socket: {
        keepAliveInitialDelay: 5_000,
        ...options.socket,
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectStrategy: false,
      } as NonNullable<typeof options.socket>,
    })
    client.on('error', error => this.#lost(client, error))
    client.on('invalidate', (key: Buffer | string | null) => {
      this.#events.invalidated?.(key === null ? null : key.toString())
    })
    // A gateway that ends need not wait for its store.
    client.unref()
    return client
  }

  async #open(client: Client): Promise<void> {
    await client.connect()
    // A node of a Cluster that does not serve the slot says which one does.
    await client.exists(this.#settings.key)
    await this.#events.prepare(client)
  }

  #isUsable(): void {
    this.client = this.#client
    this.#states.up()
    this.#events.usable()
    this.#tried.resolve()
  }

  /** @param client that was lost: not the one in use, when another has taken its place */
  #lost(client: Client | undefined, error: unknown): void {
    if (this.#client !== client || this.#isClosed) {
      client?.destroy()
      return
    }
    this.#drop()
    const to = movedTo(error)
    if (to !== undefined && this.#moves < MAX_MOVES) {
      this.#moves += 1
      this.#locator.moved(to)
      void this.#connect()
      return
    }
    if (this.isTracked && isRefusedTracking(error)) {
      this.isTracked = false
      this.#states.refused('invalidation', error)
      void this.#connect()
      return
    }
    this.#states.down(error)
    if (!isLate(error)) this.#tried.resolve()
    // Gateways that lost the same server do not come back in the same moment.
    const pauseMs = this.#retryMs * (0.8 + 0.4 * Math.random())
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS)
    this.#timer = setTimeout(() => void this.#connect(), pauseMs).unref()
  }

  #move(to: { readonly host: string; readonly port: number }): void {
    this.#locator.moved(to)
    this.leave()
  }

  #drop(): void {
    const client = this.#client
    this.#client = undefined
    this.client = undefined
    clearTimeout(this.#timer)
    this.#breaker.reset()
    client?.destroy()
  }

  /** Invalidation messages arrive unrequested, so silence has to be distinguished from a dead peer. */
  #beat(client: Client): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ping(client), HEARTBEAT_MS).unref()
  }

  async #ping(client: Client): Promise<void> {
    try {
      // A server that may take longer for a look-up is not dead before.
      const replyMs = Math.max(HEARTBEAT_MS, this.#settings.deadlineMs)
      // While the breaker is open its probes ask.
      if (this.client === client) await within(replyMs, client.ping())
    } catch (error) {
      if (this.client === client) this.#breaker.open(error)
    }
    if (this.#client === client) this.#beat(client)
  }

  async #probe(): Promise<void> {
    const client = this.#client
    if (client === undefined) throw new Error('not connected')
    try {
      await within(this.#settings.deadlineMs, client.exists(this.#settings.key))
    } catch (error) {
      if (this.#breaker.failedProbes + 1 >= MAX_FAILED_PROBES) this.#lost(client, error)
      throw error
    }
  }
}

/** No reply came in time, and no refusal either. */
function isLate(error: unknown): boolean {
  return error instanceof DeadlineError || error instanceof ConnectionTimeoutError
}

/** `MOVED 3999 127.0.0.1:6381` of a node of a Cluster: where the slot is served. */
function movedTo(error: unknown): { readonly host: string; readonly port: number } | undefined {
  const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(error instanceof Error ? error.message : '') ?? []
  return port === undefined ? undefined : { host: host ?? '', port: Number(port) }
}

/** `CLIENT TRACKING` is denied by the access list, or the server has no such command. */
function isRefusedTracking(error: unknown): boolean {
  return error instanceof Error && /tracking/i.test(error.message)
}
