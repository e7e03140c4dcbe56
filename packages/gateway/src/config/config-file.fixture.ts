import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConfigError, type GatewayConfig } from './config.ts'
import { parseConfig } from './config-file.ts'
import { readSource } from './config-source.ts'

export const SECRET = 'a-secret-of-the-tests-0123456789abcdef'

/** A file with this in it, beside others. */
export function fileOf(content: string | object, others: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(others)) writeFileSync(join(folder, name), text)
  const file = join(folder, 'limpet.yaml')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

export function read(content: string | object, others?: Readonly<Record<string, string>>): GatewayConfig {
  return parseConfig(readSource(fileOf(content, others)))
}

/** The problems of a file, a line each. */
export function problemsOf(
  content: string | object,
  others?: Readonly<Record<string, string>>,
): readonly string[] {
  try {
    read(content, others)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

export const web = { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] }
