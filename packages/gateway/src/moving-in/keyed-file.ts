import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/**
 * Reads the keys of YAML and TOML, as statements: a key is a directive, its value the argument, and what stands below
 * it the block; an item of a list has the name `-`. Whatever is read counts as taken.
 */
export class KeyReader {
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  /** The statement under `key`, case-insensitively, as in Traefik. */
  child(parent: Statement | undefined, key: string): Statement | undefined {
    const found = parent?.block?.find(({ name }) => name.toLowerCase() === key.toLowerCase())
    if (found !== undefined) this.#report.take(found)
    return found
  }

  /** Down several keys. */
  at(parent: Statement | undefined, ...keys: readonly string[]): Statement | undefined {
    let found = parent
    for (const key of keys) found = this.child(found, key)
    return found
  }

  text(parent: Statement | undefined, ...keys: readonly string[]): string | undefined {
    return this.at(parent, ...keys)?.args[0]
  }

  isOn(parent: Statement | undefined, ...keys: readonly string[]): boolean {
    return this.text(parent, ...keys)?.toLowerCase() === 'true'
  }

  /** The items of a list, or the entries of a map. */
  items(parent: Statement | undefined, ...keys: readonly string[]): readonly Statement[] {
    const items = this.at(parent, ...keys)?.block ?? []
    this.#report.take(...items)
    return items
  }

  /** A list of texts; one text alone counts as a list. */
  texts(parent: Statement | undefined, ...keys: readonly string[]): readonly string[] {
    const found = this.at(parent, ...keys)
    return found === undefined ? [] : [...found.args, ...this.items(found).flatMap(({ args }) => args)]
  }
}
