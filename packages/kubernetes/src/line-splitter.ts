/** A watch event is one slice: at most 1,000 endpoints. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024

/** Splits text that arrives in chunks into lines. Text after the last line break waits for the next chunk. */
export class LineSplitter {
  #rest: string[] = []
  #length = 0

  /** @throws Error for a line that has no end */
  push(piece: string): readonly string[] {
    const lines = piece.split('\n')
    const last = lines.pop() ?? ''
    if (lines.length > 0) {
      lines[0] = this.#rest.join('') + lines[0]
      this.#rest = []
      this.#length = 0
    }
    this.#rest.push(last)
    this.#length += last.length
    if (this.#length > MAX_LINE_CHARACTERS)
      throw new Error(`the API server has sent a line of more than ${MAX_LINE_CHARACTERS} characters`)
    return lines.filter(line => line.trim() !== '')
  }
}
