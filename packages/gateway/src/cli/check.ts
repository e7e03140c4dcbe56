import { parseConfig } from '../config/config-file.ts'
import { readSource } from '../config/config-source.ts'
import type { Arguments } from './arguments.ts'
import type { Terminal } from './terminal.ts'

/** Runs `limpet check`. @returns the exit code @throws ConfigError for a file with problems */
export function check(
  { config: file, adapter, withoutSecrets }: Arguments,
  { out, error }: Terminal,
): number {
  const { pools, routes, warnings, advice } = parseConfig(readSource(file, adapter), { withoutSecrets })
  for (const warning of [...warnings, ...advice]) error(`${file}: ${warning}\n`)
  out(`${file} is good: ${counted(pools, 'pool')}, ${counted(routes, 'route')}\n`)
  return 0
}

function counted({ length }: readonly unknown[], noun: string): string {
  return `${length} ${noun}${length === 1 ? '' : 's'}`
}
