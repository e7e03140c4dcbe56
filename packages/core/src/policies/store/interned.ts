/** Small numbers for texts of which there are few. A text that is no longer held releases its number. */
export class Interned {
  readonly #numbers = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #holders: number[] = []
  readonly #free: number[] = []

  text(number: number): string {
    return this.#texts[number] ?? ''
  }

  /** The number of a text that is held. */
  numberOf(text: string): number | undefined {
    return this.#numbers.get(text)
  }

  /** How often the text of a number is held. */
  holders(number: number): number {
    return this.#holders[number] ?? 0
  }

  hold(text: string): number {
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.#free.pop() ?? this.#texts.length
      this.#numbers.set(text, number)
      this.#texts[number] = text
      this.#holders[number] = 0
    }
    this.#holders[number] = (this.#holders[number] ?? 0) + 1
    return number
  }

  release(number: number): void {
    const left = (this.#holders[number] ?? 0) - 1
    this.#holders[number] = left
    if (left > 0) return
    this.#numbers.delete(this.text(number))
    this.#free.push(number)
  }
}
