/** Minimal length of a frame's header: two bytes (RFC 6455 §5.2). */
const MIN_HEAD = 2

/** The FIN bit marks the end of a message. A control frame, CLOSE and above, may stand within one (§5.4, §5.5). */
const FINAL = 0x80
const OPCODE = 0x0f
const CLOSE = 0x8

/**
 * Follows the frames of a WebSocket's one direction, however they are cut into pieces, and knows when it stands between
 * two messages: only there may a Close be put in and cut nothing off. It reads heads alone, and keeps no byte.
 */
export class FrameBoundary {
  #isWithinMessage = false
  #hasClose = false
  #payloadLeft = 0
  #length = 0
  /** Bytes of the head that were read, and that there are; among them those that tell a long length. */
  #headRead = 0
  #headSize = MIN_HEAD
  #lengthEnd = MIN_HEAD

  get isBetween(): boolean {
    return !this.#isWithinMessage && this.#payloadLeft === 0 && this.#headRead === 0
  }

  /** Whether a Close has passed, or has begun to: nothing may follow it (§5.5.1). */
  get hasClose(): boolean {
    return this.#hasClose
  }

  /** Follows a piece to its end. */
  follow(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) at = this.#followFrame(piece, at)
  }

  /** Follows a piece to the end of a message, or to its own, and returns where that is. */
  followMessage(piece: Uint8Array): number {
    let at = 0
    while (at < piece.length) {
      at = this.#followFrame(piece, at)
      if (this.isBetween) break
    }
    return at
  }

  #followFrame(piece: Uint8Array, start: number): number {
    let at = start
    while (at < piece.length && this.#payloadLeft === 0) {
      const byte = piece[at] ?? 0
      at += 1
      // A head may be all that there is of a frame.
      if (this.#endsHead(byte) && this.#payloadLeft === 0) return at
    }
    const rest = Math.min(this.#payloadLeft, piece.length - at)
    this.#payloadLeft -= rest
    return at + rest
  }

  #endsHead(byte: number): boolean {
    const index = this.#headRead
    this.#headRead += 1
    if (index === 0) {
      this.#begins(byte)
    } else if (index === 1) {
      const length = byte & 0x7f
      const hasMask = byte >= 0x80
      this.#lengthEnd = MIN_HEAD + (length === 127 ? 8 : length === 126 ? 2 : 0)
      this.#headSize = this.#lengthEnd + (hasMask ? 4 : 0)
      this.#length = length < 126 ? length : 0
    } else if (index < this.#lengthEnd) {
      this.#length = this.#length * 256 + byte
    }
    if (this.#headRead < this.#headSize) return false
    this.#payloadLeft = this.#length
    this.#headRead = 0
    this.#headSize = MIN_HEAD
    return true
  }

  #begins(byte: number): void {
    const opcode = byte & OPCODE
    if (opcode === CLOSE) {
      this.#hasClose = true
      this.#isWithinMessage = false
    } else if (opcode < CLOSE) {
      this.#isWithinMessage = (byte & FINAL) === 0
    }
  }
}
