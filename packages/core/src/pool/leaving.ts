/** The sessions of a backend move away, one after the other, over a time. */
export interface Leaving {
  /** Milliseconds since the epoch. */
  readonly fromMs: number
  readonly spreadMs: number
}

const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/**
 * The part of the spread after which a session moves, from 0 to less than 1: the same for all requests of the session,
 * so that it does not go to and fro. (FNV-1a, with the last step of MurmurHash3)
 * @param sessionId undefined: it moves first
 */
export function turnOf(sessionId: string | undefined): number {
  if (sessionId === undefined) return 0
  let hash = OFFSET
  for (let index = 0; index < sessionId.length; index += 1)
    hash = Math.imul(hash ^ sessionId.charCodeAt(index), PRIME)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** Whether it is the turn of a session, or was. */
export function isDue({ fromMs, spreadMs }: Leaving, sessionId: string | undefined, nowMs: number): boolean {
  return nowMs - fromMs >= turnOf(sessionId) * spreadMs
}
