import type { Links } from './recency-list.ts'

/** The words of a session's entry: half a cache line, so that to find one costs one look at memory and not seven. */
export const [LOW, HIGH, EXPIRES, BACKEND, PROTECTED, NEXT] = [0, 1, 2, 3, 4, 5] as const
export const LINKS: Links = { newer: 6, older: 7 }
export const WORDS = 8
/** The unit of expiry: 32 bits of it are 13 years. */
export const TICK_MS = 100
