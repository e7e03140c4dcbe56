/** What the head of a frame has at least: two bytes (RFC 6455 §5.2). */
const LEAST_HEAD = 2

/**
 * Follows the frames of a WebSocket's one direction, however they are cut into pieces, and knows when it stands between
 * two: only there may another be put in. It reads heads alone, and keeps no byte.
 */
export class FrameBoundary {
  #payloadLeft = 0
  #length = 0
  /** Bytes of the head that were read, and that there are; among them those that tell a long length. */
  #headRead = 0
  #headSize = LEAST_HEAD
  #lengthEnd = LEAST_HEAD

  get isBetween(): boolean {
    return this.#payloadLeft === 0 && this.#headRead === 0
  }

  /** Follows a piece to its end. */
  follow(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) at = this.followFrame(piece, at)
  }

  /** Follows a piece from `start` to the end of a frame, or to its own, and returns where that is. */
  followFrame(piece: Uint8Array, start = 0): number {
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
    if (index === 1) {
      const length = byte & 0x7f
      const hasMask = byte >= 0x80
      this.#lengthEnd = LEAST_HEAD + (length === 127 ? 8 : length === 126 ? 2 : 0)
      this.#headSize = this.#lengthEnd + (hasMask ? 4 : 0)
      this.#length = length < 126 ? length : 0
    } else if (index > 1 && index < this.#lengthEnd) {
      this.#length = this.#length * 256 + byte
    }
    if (this.#headRead < this.#headSize) return false
    this.#payloadLeft = this.#length
    this.#headRead = 0
    this.#headSize = LEAST_HEAD
    return true
  }
}
