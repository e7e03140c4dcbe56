import { printable } from '../cli/printable.ts'
import { BrokenFileError, type Statement } from './statement.ts'

/** One thing to know about the move. */
export interface Finding {
  /** In the other server's file, from 1. */
  readonly line: number
  /** `lost`: not in the limpet file. `changed`: there, and it works differently. */
  readonly kind: 'lost' | 'changed'
  /** The directive's name, without its values: these may be secret. */
  readonly what: string
  readonly why: string
}

/** A file without a pool: includes, variables or directives of another kind are all that it has. */
export class NothingTakenError extends BrokenFileError {
  readonly findings: readonly Finding[]

  constructor(findings: readonly Finding[]) {
    super(findings[0]?.line ?? 1, 'nothing in the file passes requests to a backend that limpet can take')
    this.findings = findings
  }
}

/** The report on a directive that was not taken. */
export type Loss = Pick<Finding, 'what' | 'why'>

const MAX_WHAT = 60

/** Which directives were taken, and what was noticed on the way. A directive that was not taken is reported. */
export class Report {
  readonly #taken = new Set<object>()
  /** Directives that are reported as a whole. */
  readonly #lost = new Set<object>()
  readonly #findings = new Map<string, Finding>()

  /** In the order of the file. */
  get findings(): readonly Finding[] {
    return [...this.#findings.values()].toSorted((a, b) => a.line - b.line)
  }

  get isComplete(): boolean {
    return !this.findings.some(({ kind }) => kind === 'lost')
  }

  take(...statements: readonly object[]): void {
    for (const statement of statements) this.#taken.add(statement)
  }

  isTaken(statement: object): boolean {
    return this.#taken.has(statement) || this.#lost.has(statement)
  }

  /** The directive, with all of its block, is not in the limpet file. */
  lost(statement: Statement, why: string, what: string = statement.path ?? statement.name): void {
    this.#lost.add(statement)
    this.partly(statement, why, what)
  }

  /** Something of the directive is not in the limpet file, and the rest is. */
  partly({ line }: Statement, why: string, what: string): void {
    this.note({ line, kind: 'lost', what, why })
  }

  changed({ line, name, path }: Statement, why: string, what: string = path ?? name): void {
    this.note({ line, kind: 'changed', what, why })
  }

  /** The same finding counts once, however often its directive is inherited. */
  note({ line, kind, what, why }: Finding): void {
    const shown = lineOf(what)
    this.#findings.set(`${line} ${shown} ${why}`, { line, kind, what: shown, why: lineOf(why, 300) })
  }

  /** Reports each directive that was not taken. The content of a lost block is not listed again. */
  leftovers(statements: readonly Statement[], lossOf: (statement: Statement) => Loss): void {
    for (const statement of statements) {
      if (this.#lost.has(statement)) continue
      const { what, why } = lossOf(statement)
      if (this.isTaken(statement)) this.leftovers(statement.block ?? [], lossOf)
      else this.partly(statement, why, what)
    }
  }
}

/** A text for a terminal, not longer than a line. */
export function lineOf(text: string, most = MAX_WHAT): string {
  const plain = printable(text).replaceAll('\n', ' ')
  return plain.length > most ? `${plain.slice(0, most)}…` : plain
}
