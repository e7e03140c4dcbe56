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
  out(`${file} is good: ${pools.length} pools, ${routes.length} routes\n`)
  return 0
}
