import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/**
 * A text, or where it is kept: `env:NAME` is a variable of the environment, `file:PATH` the content of a file without its
 * last line break.
 * @param folder what a relative path begins at
 * @throws Error that says what is not there, and never what is
 */
export function keptElsewhere(text: string, folder: string): string {
  if (text.startsWith('env:')) {
    const name = text.slice('env:'.length)
    const value = process.env[name]
    if (value === undefined || value === '') throw new Error(`the environment has no ${name}`)
    return value
  }
  if (text.startsWith('file:')) {
    const path = resolve(folder, text.slice('file:'.length))
    return readText(path).replace(/\r?\n$/, '')
  }
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
