import { fstatSync, write } from 'node:fs'
import { Socket } from 'node:net'

/** Maximum buffered for a slow reader; the rest is dropped. */
const MAX_WAITING = 1_048_576
/** A pipe takes 4 KiB at once (PIPE_BUF) and workers share one, so longer writes could interleave. Not all is ASCII. */
const MAX_CHUNK_LENGTH = 3_072
/** After a write has failed, as on a full disk. */
const RETRY_MS = 1_000

/** Writes some of `text`. @returns the error, or how many bytes of it have been written */
type WriteSome = (text: Buffer, done: (error: Error | null, written: number) => void) => void

/**
 * Where the log goes: never waited for, never fatal. Lines wait in a buffer of 1 MiB while the reader is slow, and are
 * dropped and counted when that is full.
 */
export class LogOutput {
  /** Lines that have been dropped. */
  dropped = 0
  readonly #writeSome: WriteSome
  readonly #onDropped: (count: number) => void
  readonly #waiting: string[] = []
  #length = 0
  #rest: Buffer | undefined
  #isWriting = false
  /** Dropped lines that were reported. */
  #told = 0
  readonly #onceIdle = new Set<() => void>()

  /** @param onDropped called when writing works again, with how many lines have been dropped meanwhile */
  constructor(fd: number, onDropped: (count: number) => void) {
    this.#writeSome = writerOf(fd)
    this.#onDropped = onDropped
  }

  /** @param text whole lines */
  write(text: string): void {
    if (this.#length + text.length > MAX_WAITING) {
      this.dropped += text.split('\n').length - 1
      return
    }
    this.#waiting.push(text)
    this.#length += text.length
    if (!this.#isWriting) this.#next()
  }

  /** Settles when all is written, or after `ms`. */
  async flushed(ms: number): Promise<void> {
    if (!this.#isWriting) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#onceIdle.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #next(): void {
    const chunk = this.#rest ?? this.#chunk()
    this.#rest = undefined
    this.#isWriting = chunk !== undefined
    if (chunk === undefined) {
      for (const idle of this.#onceIdle) idle()
      this.#onceIdle.clear()
      return
    }
    this.#writeSome(chunk, (error, written) => {
      if (written < chunk.length) this.#rest = chunk.subarray(written)
      if (error === null) {
        this.#tell()
        this.#next()
      } else {
        setTimeout(() => this.#next(), RETRY_MS).unref()
      }
    })
  }

  #chunk(): Buffer | undefined {
    let text = this.#waiting.shift()
    if (text === undefined) return undefined
    let next = this.#waiting[0]
    while (next !== undefined && text.length + next.length <= MAX_CHUNK_LENGTH) {
      text += next
      this.#waiting.shift()
      next = this.#waiting[0]
    }
    this.#length -= text.length
    return Buffer.from(text)
  }

  #tell(): void {
    const count = this.dropped - this.#told
    // There has to be room for the line that tells.
    if (count === 0 || this.#length > MAX_WAITING / 2) return
    this.#told = this.dropped
    this.#onDropped(count)
  }
}

/**
 * Pipes and sockets are written by the event loop: a blocked write in a thread of the pool would keep the process from
 * exiting. Files have no other way than that.
 */
function writerOf(fd: number): WriteSome {
  const stat = fstatSync(fd)
  if (!stat.isFIFO() && !stat.isSocket())
    return (text, done) => write(fd, text, (error, written) => done(error, written))
  const socket = new Socket({ fd, readable: false, writable: true })
  // Each write hears of it, too.
  socket.on('error', () => undefined)
  // A process that is not ended does not go on for its log alone.
  socket.unref()
  return (text, done) =>
    socket.write(text, error => done(error ?? null, error === null || error === undefined ? text.length : 0))
}
