import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** The values that a file refers to: `file:PATH` or `env:NAME`, and the value. */
export type KeptValues = Readonly<Record<string, string>>

/**
 * Reads the values that are kept elsewhere than in the configuration: each once, so that all places and all processes
 * that need it see the same.
 */
export class KeptElsewhere {
  readonly #folder: string
  readonly #given: KeptValues | undefined
  readonly #values = new Map<string, string>()

  /**
   * @param folder where a relative path begins
   * @param given the values that another process has read; then nothing is read here
   */
  constructor(folder: string, given: KeptValues | undefined) {
    this.#folder = folder
    this.#given = given
  }

  /** All that was read. */
  get values(): KeptValues {
    return this.#given ?? Object.fromEntries(this.#values)
  }

  /**
   * A text, or the value that it refers to: `env:NAME` is a variable of the environment, `file:PATH` the content of a
   * file without its last line break.
   * @throws Error when the value is missing or blank: an empty secret protects nothing. It never tells the value.
   */
  text(reference: string): string {
    if (reference.startsWith('env:')) return this.#read(reference, () => variable(reference.slice(4)))
    if (reference.startsWith('file:')) return this.file(reference.slice(5)).replace(/\r?\n$/, '')
    return reference
  }

  /** The content of a file. @throws Error for a file that cannot be read or is blank */
  file(name: string): string {
    const path = resolve(this.#folder, name)
    return this.#read(`file:${path}`, () => content(path))
  }

  #read(key: string, read: () => string): string {
    const known = this.#given === undefined ? this.#values.get(key) : this.#given[key]
    if (known !== undefined) return known
    if (this.#given !== undefined) throw new Error('was not read by the process that has started this one')
    const value = read()
    this.#values.set(key, value)
    return value
  }
}

function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`the environment has no ${name}`)
  if (value.trim() === '') throw new Error(`the variable ${name} of the environment has blanks alone`)
  return value
}

function content(path: string): string {
  const text = readText(path)
  if (text.trim() === '') throw new Error(`the file ${path} is empty`)
  return text
}

/** @throws Error that says which file, and why not. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`the file ${path} cannot be read (${code ?? 'unknown'})`, { cause: error })
  }
}
