import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** The directives that hold in a block: its own, and of those that it has not, the ones around it. */
export class Scope {
  readonly #own: ReadonlyMap<string, readonly Statement[]>
  readonly #report: Report
  readonly #around: Scope | undefined

  constructor(own: readonly Statement[], report: Report, around?: Scope) {
    this.#own = Map.groupBy(own, ({ name }) => name)
    this.#report = report
    this.#around = around
  }

  within(own: readonly Statement[]): Scope {
    return new Scope(own, this.#report, this)
  }

  /** All of a name in the nearest block that has one, taken. */
  all(name: string): readonly Statement[] {
    const own = this.own(name)
    if (own.length === 0) return this.#around?.all(name) ?? []
    this.#report.take(...own)
    return own
  }

  /** The last of them. */
  last(name: string): Statement | undefined {
    return this.all(name).at(-1)
  }

  /** Those of this block alone, not taken. */
  own(name: string): readonly Statement[] {
    return this.#own.get(name) ?? []
  }
}
