/** A change of one learned session, on its way to other processes. */
export interface SessionChange {
  /** The hash of its id: 64 bits. */
  readonly low: number
  readonly high: number
  /** Undefined: the session has ended. */
  readonly backendId: string | undefined
  /** Milliseconds until it expires, when the change is sent. */
  readonly leftMs: number
  /** It stays at its backend. Such a change must not undo a move that another process has made. */
  readonly isRenewal: boolean
}

/** Changes as a channel between processes carries them: 22 characters each, and the names of the backends once. */
export interface SessionBatch {
  readonly backends: readonly string[]
  /** 16 bytes for each change, in base64. */
  readonly words: string
}

/** A number for a hash, as the key of a map: 53 of its bits. */
export function keyOf({ low, high }: Pick<SessionChange, 'low' | 'high'>): number {
  return low * 2 ** 21 + (high >>> 11)
}

const WORDS = 4
const TICK_MS = 100
const RENEWAL = 0x8000_0000
const ENDED = 0x7fff_ffff
const MAX_TICKS = 2 ** 32 - 1

export function encodeChanges(changes: readonly SessionChange[]): SessionBatch {
  const numbers = new Map<string, number>()
  const words = new Uint32Array(changes.length * WORDS)
  let at = 0
  for (const { low, high, backendId, leftMs, isRenewal } of changes) {
    let number = ENDED
    if (backendId !== undefined) {
      number = numbers.get(backendId) ?? numbers.size
      numbers.set(backendId, number)
    }
    words[at] = low
    words[at + 1] = high
    words[at + 2] = number + (isRenewal ? RENEWAL : 0)
    words[at + 3] = Math.min(Math.ceil(leftMs / TICK_MS), MAX_TICKS)
    at += WORDS
  }
  return { backends: [...numbers.keys()], words: Buffer.from(words.buffer).toString('base64') }
}

export function* decodeChanges({ backends, words }: SessionBatch): Generator<SessionChange, void, undefined> {
  const numbers = wordsOf(words)
  for (let at = 0; at < numbers.length; at += WORDS) {
    const backend = numbers[at + 2] ?? 0
    const number = backend % RENEWAL
    yield {
      low: numbers[at] ?? 0,
      high: numbers[at + 1] ?? 0,
      backendId: number === ENDED ? undefined : backends[number],
      leftMs: (numbers[at + 3] ?? 0) * TICK_MS,
      isRenewal: backend >= RENEWAL,
    }
  }
}

/** The hashes of sessions: 8 bytes each, in base64. */
export function encodeHashes(hashes: readonly Pick<SessionChange, 'low' | 'high'>[]): string {
  return Buffer.from(new Uint32Array(hashes.flatMap(({ low, high }) => [low, high])).buffer).toString(
    'base64',
  )
}

export function decodeHashes(text: string): readonly Pick<SessionChange, 'low' | 'high'>[] {
  const numbers = wordsOf(text)
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    low: numbers[2 * index] ?? 0,
    high: numbers[2 * index + 1] ?? 0,
  }))
}

function wordsOf(text: string): Uint32Array {
  const bytes = Buffer.from(text, 'base64')
  // A copy begins where a word may begin.
  return new Uint32Array(new Uint8Array(bytes).buffer)
}
