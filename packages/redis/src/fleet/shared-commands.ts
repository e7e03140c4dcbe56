import { randomBytes } from 'node:crypto'
import { WatchError } from '@redis/client'
import type { BackendView, Pool } from '@limpet/core'
import { type Client, Connection } from '../connection/connection.ts'
import type { ParsedRedis } from '../connection/redis-options.ts'
import { RedisClock } from '../connection/redis-clock.ts'
import { DeadlineError, within } from '../connection/within.ts'
import { StateEvents } from '../state-events.ts'
import { applyCommand } from './apply-command.ts'
import { type Command, isNewer, SEALED_COMMANDS } from './command.ts'
import { publishFleetChange } from './fleet-events.ts'
import { Seal } from './seal.ts'

export interface SharedCommandsSettings {
  readonly redis: ParsedRedis
  readonly prefix: string
  readonly secrets: readonly Uint8Array[]
}

/** A command that Redis has yet to take. */
interface Pending {
  readonly command: Command
  /** Its times are those of this process, because Redis had not been asked yet. */
  readonly isOwnTime: boolean
}

type Change = {
  readonly [Key in keyof Omit<Command, 'id' | 'by' | 'origin' | 'atMs' | 'rev'>]?: Command[Key] | undefined
}

/** A message may be lost with its connection. */
const REREAD_MS = 30_000
const TIMEOUT_MS = 1_000
const MAX_ATTEMPTS = 10
const RETRY_MS = 1_000
/** A hash of ours has one field for each backend that was ever commanded. */
const MAX_COMMANDS = 100_000

/** The commands about the backends of one pool, here and in Redis. */
export class SharedCommands {
  readonly #pool: Pool
  readonly #origin = randomBytes(6).toString('base64url')
  readonly #key: string
  readonly #seal: Seal<Command>
  readonly states: StateEvents
  /** For everything but messages. */
  readonly connection: Connection
  /**
   * For messages alone: Redis before 7.2 puts a message to the connection that publishes it into the reply of its
   * transaction, where no client can read it.
   */
  readonly #listener: Connection
  readonly #newest = new Map<string, Command>()
  readonly #pending = new Map<string, Pending>()
  /** Fields of older secrets, and the backends that they are about. */
  readonly #outdated = new Map<string, string>()
  readonly #timer: NodeJS.Timeout
  readonly #unwatch: () => void
  readonly #ready = Promise.withResolvers<void>()
  #known: ReadonlySet<BackendView>
  #retry: NodeJS.Timeout | undefined
  readonly #clock = new RedisClock()
  #writing: Promise<void> | undefined
  #isApplying = false

  constructor(pool: Pool, { redis, prefix, secrets }: SharedCommandsSettings) {
    this.#pool = pool
    this.#key = `${prefix}:{${pool.name}}:o`
    this.#seal = new Seal(secrets, pool.name, SEALED_COMMANDS)
    this.states = new StateEvents(pool.name, 'fleet')
    this.#known = new Set(pool.backends)
    const settings = { redis, deadlineMs: TIMEOUT_MS, key: this.#key, isTracking: false }
    this.connection = new Connection(settings, this.states, {
      prepare: async client => this.#prepare(client),
      usable: () => void this.#write(),
    })
    const states = {
      up: () => this.states.accepted('messages'),
      down: (error: unknown) => this.states.refused('messages', error),
      refused: (_part: string, error: unknown) => this.states.refused('messages', error),
    }
    this.#listener = new Connection(settings, states, {
      prepare: async client => this.#listen(client),
      usable: () => void this.#write(),
    })
    this.#timer = setInterval(() => void this.#reread(), REREAD_MS).unref()
    this.#unwatch = pool.watch(() => this.#membersChanged())
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  command(id: string): Command | undefined {
    return this.#newest.get(id)
  }

  /** By the clock of Redis, as far as it is known. */
  nowMs(): number {
    return this.#clock.nowMs()
  }

  /** An operator has given a command here, and the pool has taken it. */
  give(id: string, by: string, change: Change): void {
    const before = this.#ours(id)
    const atMs = Math.max(Math.round(this.nowMs()), (before?.atMs ?? 0) + 1)
    const all = { ...before, ...change, id, by, origin: this.#origin, atMs, rev: (before?.rev ?? 0) + 1 }
    const command = Object.fromEntries(
      Object.entries(all).filter(([, value]) => value !== undefined),
    ) as unknown as Command
    this.#newest.set(id, command)
    this.#pending.set(id, { command, isOwnTime: this.#clock.aheadMs === undefined })
    void this.#write()
  }

  /** Applies all commands again: the pool was configured anew. */
  apply(): void {
    for (const command of this.#newest.values()) this.#apply(command, false)
  }

  close(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#retry)
    this.#unwatch()
    this.connection.close()
    this.#listener.close()
    this.#ready.resolve()
  }

  async #prepare(client: Client): Promise<void> {
    await this.#clock.read(client)
    await this.#read(client)
    this.#ready.resolve()
  }

  async #listen(client: Client): Promise<void> {
    // First the messages, then the state: a command between the two comes twice.
    await client.subscribe(this.#key, message => void this.#take(message))
    await this.#read(client)
  }

  async #read(client: Client): Promise<void> {
    const stored = new Map<string, Command>()
    this.#outdated.clear()
    for (const [field, value] of Object.entries(await client.hGetAll(this.#key))) {
      const command = this.#take(value)
      if (command === undefined) continue
      if (field !== this.#seal.fieldOf(command.id)) this.#outdated.set(field, command.id)
      else if (isNewer(command, stored.get(command.id))) stored.set(command.id, command)
    }
    // Redis may have been emptied, or may have failed over to an older replica. A command of an older secret would be
    // lost with that secret.
    const outdated = new Set(this.#outdated.values())
    for (const [id, command] of this.#newest) {
      if (!this.#pending.has(id) && (outdated.has(id) || isNewer(command, stored.get(id))))
        this.#pending.set(id, { command, isOwnTime: false })
    }
  }

  async #reread(): Promise<void> {
    const { client } = this.connection
    if (client === undefined) return
    try {
      await within(TIMEOUT_MS, Promise.all([this.#clock.read(client), this.#read(client)]))
      this.connection.succeeded()
    } catch (error) {
      this.connection.failed(error)
    }
    await this.#write()
  }

  /** A value of another gateway, or our own. Returns the command that it is, if it is one. */
  #take(value: string): Command | undefined {
    const command = this.#seal.open(value)
    if (command === undefined) {
      this.states.badValue('a command was sealed with another secret')
      return undefined
    }
    const { id } = command
    const ours = this.#ours(id)
    if (!isNewer(command, ours) || (ours === undefined && this.#newest.size >= MAX_COMMANDS)) return command
    this.#pending.delete(id)
    this.#newest.set(id, command)
    publishFleetChange(this.#pool.name, command, this.#apply(command, true))
    return command
  }

  #ours(id: string): Command | undefined {
    const pending = this.#pending.get(id)
    return pending === undefined ? this.#newest.get(id) : this.#dated(pending)
  }

  /** The command by the clock of Redis, which may have been unknown when it was given. */
  #dated({ command, isOwnTime }: Pending): Command {
    const { aheadMs } = this.#clock
    if (!isOwnTime || aheadMs === undefined) return command
    const { atMs, deadlineAtMs } = command
    return {
      ...command,
      atMs: Math.round(atMs + aheadMs),
      ...(deadlineAtMs !== undefined && { deadlineAtMs: Math.round(deadlineAtMs + aheadMs) }),
    }
  }

  /** Returns why the pool refused, if it did. */
  #apply(command: Command, isNews: boolean): unknown {
    this.#isApplying = true
    try {
      applyCommand(this.#pool, command, isNews, this.nowMs())
      return undefined
    } catch (error) {
      return error
    } finally {
      this.#isApplying = false
      this.#known = new Set(this.#pool.backends)
    }
  }

  /** Applies the commands to backends that come by discovery or by a new file. */
  #membersChanged(): void {
    if (this.#isApplying) return
    const before = this.#known
    this.#known = new Set(this.#pool.backends)
    for (const view of this.#known) {
      const command = before.has(view) ? undefined : this.#newest.get(view.backend.id)
      // One that is added here by an operator has its command in a moment.
      if (command !== undefined) queueMicrotask(() => this.#applyToNew(view, command))
    }
  }

  #applyToNew(view: BackendView, command: Command): void {
    const { id } = view.backend
    if (this.#newest.get(id) === command && this.#pool.find(id) === view) this.#apply(command, false)
  }

  async #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined))
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { client } = this.connection
      if (client === undefined) return
      try {
        await within(TIMEOUT_MS, this.#writeOne(client, ...next))
        this.states.accepted('commands')
        this.connection.succeeded()
      } catch (error) {
        this.states.refused('commands', error)
        // The late attempt would go on beside the next, and an EXEC or UNWATCH of one ends the WATCH of the other.
        if (error instanceof DeadlineError) this.connection.leave()
        else this.connection.failed(error)
        clearTimeout(this.#retry)
        this.#retry = setTimeout(() => void this.#write(), RETRY_MS).unref()
        return
      }
    }
  }

  #next(): readonly [id: string, pending: Pending] | undefined {
    const [next] = this.#pending
    return next
  }

  async #writeOne(client: Client, id: string, pending: Pending): Promise<void> {
    const field = this.#seal.fieldOf(id)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      await client.watch(this.#key)
      const value = await client.hGet(this.#key, field)
      // A newer command of another gateway takes the place of ours.
      if (value !== null) this.#take(value)
      if (this.#pending.get(id) !== pending) {
        await client.unwatch()
        return
      }
      const command = this.#dated(pending)
      this.#newest.set(id, command)
      const sealed = this.#seal.seal(command)
      const outdated = [...this.#outdated].filter(([, of]) => of === id).map(([old]) => old)
      try {
        const transaction = client.multi().hSet(this.#key, field, sealed)
        if (outdated.length > 0) transaction.hDel(this.#key, outdated)
        await transaction.publish(this.#key, sealed).exec()
      } catch (error) {
        if (error instanceof WatchError) continue
        throw error
      }
      if (this.#pending.get(id) === pending) this.#pending.delete(id)
      return
    }
    throw new Error('other gateways give too many commands at once')
  }
}
