import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { UsageError } from '../cli/usage-error.ts'

const MAX_BYTES = 4 * 1024 ** 2

/**
 * The text of another server's file, at most 4 MiB of UTF-8.
 * @throws UsageError for a file that cannot be read, is larger, or holds no text
 */
export function readInput(file: string): string {
  const bytes = attempt(file, () => bytesOf(file))
  if (bytes.length > MAX_BYTES)
    throw new UsageError(`${file} is larger than 4 MiB; give one configuration file`)
  if (bytes.includes(0)) throw new UsageError(`${file} is not a text: it has zero bytes`)
  const text = decoded(bytes)
  if (text === undefined) throw new UsageError(`${file} is not a text: it is no UTF-8`)
  if (text.trim() === '') throw new UsageError(`${file} is empty`)
  return text.replaceAll('\r\n', '\n')
}

function attempt<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`${file} cannot be read (${code ?? 'unknown'})`, { cause: error })
  }
}

/** One byte more than is taken tells a larger file, also where a size is not known, as of a pipe. */
function bytesOf(file: string): Buffer {
  const handle = openSync(file, 'r')
  try {
    if (fstatSync(handle).isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    const buffer = Buffer.alloc(MAX_BYTES + 1)
    let length = 0
    for (;;) {
      const count = readSync(handle, buffer, length, buffer.length - length, null)
      length += count
      if (count === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } finally {
    closeSync(handle)
  }
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
