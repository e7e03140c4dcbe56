/** One directive of another server's file: its words, and what stands in its block. */
export interface Statement {
  readonly name: string
  readonly args: readonly string[]
  /** From 1. */
  readonly line: number
  readonly block?: readonly Statement[]
  /** The keys above it and its own, in a file of YAML or TOML. */
  readonly path?: string
}

/** A file that breaks the grammar of its server. Nothing of it is taken. */
export class BrokenFileError extends Error {
  override readonly name = 'BrokenFileError'

  constructor(line: number, text: string) {
    super(`line ${line}: ${text}`)
  }
}

/** Blocks within blocks; a deeper file was made to hurt. */
export const MAX_DEPTH = 32

/** The last statement of this name: the one that counts. */
export function lastOf(lines: readonly Statement[], word: string): Statement | undefined {
  return lines.findLast(({ name }) => name === word)
}
