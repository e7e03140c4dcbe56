import type { Links } from './recency-list.ts'

/** The words of a session's entry: half a cache line, so that to find one costs one look at memory and not seven. */
export const [LOW, HIGH, EXPIRES, BACKEND, PROTECTED, NEXT, NEWER, OLDER, WORDS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const
export const LINKS: Links = { newer: NEWER, older: OLDER }
/** The unit of expiry: 32 bits of it are 13 years. */
export const TICK_MS = 100
