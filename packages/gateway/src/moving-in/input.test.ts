import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { readInput } from './input.ts'

function fileOf(content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-input-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, content)
  return file
}

it('reads text, with the ends of lines of Unix', () => {
  expect(readInput(fileOf('a é\r\nb\n'))).toBe('a é\nb\n')
  expect(readInput(fileOf('a'.repeat(4 * 1024 ** 2)))).toHaveLength(4 * 1024 ** 2)
})

it.each<[string | Uint8Array, string]>([
  ['', 'is empty'],
  [' \n\t', 'is empty'],
  ['a\0b', 'is not a text: it has zero bytes'],
  [Buffer.from([0x61, 0xff]), 'is not a text: it is no UTF-8'],
  ['a'.repeat(4 * 1024 ** 2 + 1), 'is larger than 4 MiB; give one configuration file'],
])('refuses another file', (content, message) => {
  expect(() => readInput(fileOf(content))).toThrow(message)
})

it('refuses a folder, and a file that is not there', () => {
  expect(() => readInput(tmpdir())).toThrow('cannot be read (EISDIR)')
  expect(() => readInput('/no/such/file')).toThrow('/no/such/file cannot be read (ENOENT)')
})
