import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { redact } from '@limpet/core/options'
import { HOW_TO_MAKE_ONE } from '@limpet/core/signing'
import type { ProblemList } from './problem.ts'

/** The values that a file refers to: `file:PATH` or `env:NAME`, and the value. */
export type KeptValues = Readonly<Record<string, string>>

/** In the place of a secret that is not there, so that the rest of the file can be checked. No two are the same. */
function standIn(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Reads the values that are kept elsewhere than in the configuration: each once, so that all places and all processes
 * that need it see the same.
 */
export class KeptElsewhere {
  readonly #folder: string
  readonly #given: KeptValues | undefined
  readonly #missing: string[] | undefined
  readonly #values = new Map<string, string>()

  /**
   * @param folder where a relative path begins
   * @param given the values that another process has read; then nothing is read here
   * @param missing gets the values that cannot be read, which are no problems then
   */
  constructor(folder: string, given: KeptValues | undefined, missing?: string[]) {
    this.#folder = folder
    this.#given = given
    this.#missing = missing
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
    const path = this.pathOf(name)
    return this.#read(`file:${path}`, () => content(path, fileText(name, this.#folder)))
  }

  /** A path of the configuration, from its folder. */
  pathOf(name: string): string {
    return resolve(this.#folder, name)
  }

  /**
   * The value of an option that may be a reference; empty, with a problem, when it cannot be read.
   * @param inPlace of a value that may be missing
   */
  textFor(path: string, problems: ProblemList, reference: string, inPlace = standIn()): string {
    const text = this.#for(path, problems, () => this.text(reference))
    return text ?? (this.#missing === undefined ? '' : inPlace)
  }

  /** As `textFor`, of a random text: its problem says how to make one. */
  randomFor(path: string, problems: ProblemList, reference: string): string {
    const text = this.#for(path, problems, () => this.text(reference), `; ${HOW_TO_MAKE_ONE}`)
    return text ?? (this.#missing === undefined ? '' : standIn())
  }

  /** The content of an option's file; empty, with a problem, when it cannot be read. */
  fileFor(path: string, problems: ProblemList, name: string): string {
    return this.#for(path, problems, () => this.file(name)) ?? ''
  }

  #for(path: string, problems: ProblemList, read: () => string, advice = ''): string | undefined {
    try {
      return read()
    } catch (error) {
      const { message } = error as Error
      if (this.#missing === undefined) problems.add(path, message + advice)
      else this.#missing.push(`${path} ${message}${advice}`)
      return undefined
    }
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
  if (value === undefined || value === '') throw new Error(`the environment has no ${variableText(name)}`)
  if (value.trim() === '') throw new Error(`the environment has only blanks in ${variableText(name)}`)
  return value
}

function content(path: string, shown: string): string {
  const text = readText(path, shown)
  if (text.trim() === '') throw new Error(`the file ${shown} is empty`)
  return text
}

/**
 * @param shown the path in a message
 * @throws Error that says which file, and why not
 */
export function readText(path: string, shown = path): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`the file ${shown} cannot be read (${code ?? 'unknown'})`, { cause: error })
  }
}

/** A secret may stand in the place of a variable's name, so only a text that looks like a name is shown. */
function variableText(name: string): string {
  const isName = /^[A-Z][A-Z0-9]{0,15}$|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(name)
  return isName ? name : `variable of this name (${redact(name)})`
}

/** A path as people write it. Secrets have capitals, or neither a slash nor a dot. */
const PATH = /^(?=.{1,200}$)(?=.*[./])\/?[a-z0-9_@.-]{1,40}(?:\/[a-z0-9_@.-]{1,40})*\/?$/

/** In the same way, a key or a password may stand where the path of a file is meant. */
function fileText(name: string, folder: string): string {
  return PATH.test(name) ? resolve(folder, name) : `of this path (${redact(name)}, from ${folder})`
}
