/** A problem of a file: its place, and the accepted values there. */
export interface Problem {
  /** As `pools.web.backends[1].url`; empty: the file as a whole. */
  readonly path: string
  readonly text: string
}

export function problemText({ path, text }: Problem): string {
  return path === '' ? text : `${path} ${text}`
}

/** Whether `path` is `other`, or a part of it. */
function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`)
}

/** Whether a problem at `path` is one of a part of a wrong value, or of the value around it. */
export function isConsequence(path: string, known: readonly Problem[]): boolean {
  return known.some(problem => isWithin(problem.path, path) || isWithin(path, problem.path))
}

/** The problems of a file, each place once. */
export class ProblemList {
  readonly #problems: Problem[] = []

  get all(): readonly Problem[] {
    return this.#problems
  }

  /** Ignores the consequences of known problems. */
  add(path: string, text: string): void {
    if (!isConsequence(path, this.#problems)) this.#problems.push({ path, text })
  }

  /** Adds problems of which none is a consequence of another. */
  addAll(problems: readonly { readonly option: string; readonly message: string }[]): void {
    const seen = new Set(this.#problems.map(({ path }) => path))
    for (const { option, message } of problems)
      if (!seen.has(option)) {
        seen.add(option)
        this.#problems.push({ path: option, text: message })
      }
  }
}
