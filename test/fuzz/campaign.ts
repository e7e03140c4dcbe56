import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { ADAPTER_COUNT, type FuzzedGateway, startFuzzed, watchProcess } from './fuzzed-gateway.ts'
import { type Mutation, mutations } from './mutation.ts'
import { REQUESTS, sendMutated } from './requests.ts'
import { askForMutated, mutatedResponse, RESPONSE_COUNT } from './responses.ts'

/** Mutations that one gateway is given at a time. */
const BATCH = 400
/** Clients that a gateway has at a time. */
const CONNECTIONS = 64

export type Side = 'requests' | 'responses'

/** The input of one run of the property, and the part of a failure that is kept. */
interface Batch {
  readonly adapter: number
  readonly mutations: readonly Mutation[]
}

/** A failure that is kept, and run again by the tests. */
export interface Regression extends Batch {
  readonly side: Side
}

export interface CampaignOptions {
  readonly side: Side
  /** How many messages are mutated. */
  readonly count: number
  readonly seed: number
  /** The longest that it takes. */
  readonly minutes?: number
  /** Told now and then how many messages there were. */
  readonly onProgress?: (count: number) => void
}

const FOLDER = fileURLToPath(new URL('regressions/', import.meta.url))

/**
 * Gives mutated messages to gateways of all adapters, until a gateway does what it must not. A failure is made as small as it
 * can be, and written to `regressions/`.
 * @returns how many messages there were
 * @throws Error that tells the failure, the seed, and the file
 */
export async function fuzz({ side, count, seed, minutes, onProgress }: CampaignOptions): Promise<number> {
  const gateways = new Gateways()
  const deadlineMs = performance.now() + (minutes ?? Infinity) * 60_000
  const progress = { done: 0 }
  const bases = side === 'requests' ? REQUESTS.length : RESPONSE_COUNT
  const batch = fc.record({
    adapter: fc.nat(ADAPTER_COUNT - 1),
    mutations: fc.array(mutations(bases), { minLength: 1, maxLength: BATCH, size: 'max' }),
  })
  const property = fc.asyncProperty(batch, async given => {
    await gateways.run({ side, ...given })
    progress.done += given.mutations.length
    onProgress?.(progress.done)
  })
  try {
    // Batches have any length, so it is not known how many it takes.
    for (let round = 0; progress.done < count && performance.now() < deadlineMs; round += 1) {
      const result = await fc.check(property, {
        seed: seed + round,
        numRuns: Math.ceil((2 * (count - progress.done)) / BATCH),
        ...(minutes !== undefined && {
          plugins: [fc.interruptAfterTimeLimit(deadlineMs - performance.now())],
        }),
      })
      // The plugin's type hides that of the property.
      const [failed] = (result.counterexample ?? []) as [Batch?]
      if (result.failed && failed !== undefined)
        throw new Error(
          `${String(result.errorInstance)}\nseed ${seed + round}; kept as ${keep({ side, ...failed })}`,
        )
    }
    return progress.done
  } finally {
    await gateways.close()
  }
}

/** Runs a batch again that once failed. @throws Error when it fails */
export async function replay(regression: Regression): Promise<void> {
  const gateways = new Gateways()
  try {
    await gateways.run(regression)
  } finally {
    await gateways.close()
  }
}

/** The gateways of a campaign, one of each adapter, started when it is first asked for. */
class Gateways {
  readonly #open = new Map<number, FuzzedGateway>()
  readonly #unwatch = watchProcess()
  #lastId = 0

  async run(batch: Regression): Promise<void> {
    const { adapter } = batch
    let gateway = this.#open.get(adapter)
    if (gateway === undefined) {
      gateway = await startFuzzed(adapter)
      this.#open.set(adapter, gateway)
    }
    try {
      await (batch.side === 'requests' ? this.#requests(gateway, batch) : this.#responses(gateway, batch))
      // A backend that breaks a used connection may be asked again on a fresh one.
      await gateway.expectSound(batch.side === 'requests' ? 1 : 2)
    } catch (error) {
      // The next batch begins with a gateway of its own.
      this.#open.delete(adapter)
      await gateway.close()
      throw new Error(`${gateway.name}: ${(error as Error).message}`, { cause: error })
    }
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open.values(), async gateway => gateway.close()))
    this.#unwatch()
  }

  async #requests(gateway: FuzzedGateway, batch: Batch): Promise<void> {
    const waiting = [...batch.mutations]
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
          await sendMutated(gateway, next)
      }),
    )
  }

  async #responses(gateway: FuzzedGateway, batch: Batch): Promise<void> {
    const asked = batch.mutations.map(mutation => ({ id: (this.#lastId += 1), mutation }))
    const byTarget = new Map(asked.map(({ id, mutation }) => [`/${id}`, mutatedResponse(mutation, id)]))
    gateway.backend.answer = ({ start }) =>
      byTarget.get(start.split(' ')[1] ?? '') ?? { bytes: '', ends: true }
    const perConnection = Math.ceil(asked.length / CONNECTIONS)
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, index) =>
        askForMutated(gateway, asked.slice(index * perConnection, (index + 1) * perConnection)),
      ),
    )
  }
}

/** The failures that are kept, each with its file's name. */
export function regressions(side: Side): readonly (readonly [name: string, regression: Regression])[] {
  return readdirSync(FOLDER)
    .filter(name => name.startsWith(`${side}-`) && name.endsWith('.json'))
    .map(name => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Regression])
}

function keep(regression: Regression): string {
  mkdirSync(FOLDER, { recursive: true })
  const text = `${JSON.stringify(regression, null, 2)}\n`
  const name = `${regression.side}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}.json`
  writeFileSync(join(FOLDER, name), text)
  return `test/fuzz/regressions/${name}`
}
