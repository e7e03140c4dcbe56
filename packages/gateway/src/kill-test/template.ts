/** Variables that every step has. */
export const BUILT_IN = ['session', 'index', 'round', 'unique', 'sha256'] as const

export type Variables = ReadonlyMap<string, string>

const PLACEHOLDER = /\{\{\s*([\w.]*)\s*\}\}/g

/** A text with variables, as `user-{{session}}`. */
export class Template {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The names of its variables, each once. */
  get names(): readonly string[] {
    return namesIn(this.#text)
  }

  /** The text with the values of its variables. An unknown variable is an empty text. */
  render(variables: Variables): string {
    return filled(this.#text, variables)
  }
}

export function namesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name))]
}

export function filled(text: string, variables: Variables): string {
  return text.replaceAll(PLACEHOLDER, (_all, name: string) => valueOf(name, variables))
}

/** A value of JSON with the variables of all its texts filled in. */
export function filledJson(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return filled(value, variables)
  if (Array.isArray(value)) return value.map(one => filledJson(one, variables))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledJson(one, variables)]))
}

/** `env.NAME` stands for a variable of the environment, so that a password needs no place in the file. */
function valueOf(name: string, variables: Variables): string {
  if (name.startsWith('env.')) return process.env[name.slice('env.'.length)] ?? ''
  return variables.get(name) ?? ''
}
