import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/**
 * A text, or the value that it refers to: `env:NAME` is a variable of the environment, `file:PATH` the content of a file
 * without its last line break.
 * @param folder where a relative path begins
 * @throws Error when the value is missing or blank: an empty secret protects nothing. It never tells the value.
 */
export function keptElsewhere(text: string, folder: string): string {
  if (text.startsWith('env:')) {
    const name = text.slice('env:'.length)
    const value = process.env[name]
    if (value === undefined || value === '') throw new Error(`the environment has no ${name}`)
    if (value.trim() === '') throw new Error(`the variable ${name} of the environment has blanks alone`)
    return value
  }
  if (text.startsWith('file:')) {
    const path = resolve(folder, text.slice('file:'.length))
    return readValue(path).replace(/\r?\n$/, '')
  }
  return text
}

/** The content of a file that is not blank. @throws Error that says which file, and why not. */
export function readValue(path: string): string {
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
