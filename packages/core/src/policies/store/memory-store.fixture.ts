import { MemoryStore } from './memory-store.ts'

export const HASH_KEY = new Uint8Array(16)

/** By itself fast-check would make sequences of ten steps, which fill no store. */
export const LONG = { maxLength: 150, size: 'max' } as const

export function storeOf(maxEntries: number, clock = { ms: 0 }): MemoryStore {
  return new MemoryStore({ maxEntries, now: () => clock.ms, hashKey: HASH_KEY })
}
