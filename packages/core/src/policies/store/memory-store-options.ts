import { randomBytes } from 'node:crypto'
import { steadyNow } from '../../steady-clock.ts'
import { HASH_KEY_BYTES } from '../../signing/keyed-hash.ts'
import { OptionError } from '../../options/option.ts'
import { parsed } from '../../options/option-kind.ts'
import { callback, integer } from '../../options/plain-kinds.ts'
import { type OptionsOf, optionTable } from '../../options/option-table.ts'

/** The memory of learned sessions in this process. */
export const MEMORY_STORE_OPTIONS = optionTable({
  /** Sessions that are remembered at most; then the least useful is forgotten for each new one. @default 100000 */
  maxEntries: integer({ min: 1, max: 16_000_000, default: 100_000 }),
  /** The clock: milliseconds since the epoch. @default the system's at the start, and even from then on */
  now: callback<() => number>({ default: steadyNow }),
  /** 16 secret bytes, for tests. @default random */
  hashKey: parsed<Uint8Array, Uint8Array>(`${HASH_KEY_BYTES} bytes`, parseHashKey),
})

export interface MemoryStoreOptions extends OptionsOf<typeof MEMORY_STORE_OPTIONS> {}

function parseHashKey(path: string, value: unknown = randomBytes(HASH_KEY_BYTES)): Uint8Array {
  if (!(value instanceof Uint8Array) || value.byteLength !== HASH_KEY_BYTES)
    throw new OptionError(path, typeof value, `${HASH_KEY_BYTES} bytes`)
  return value
}
