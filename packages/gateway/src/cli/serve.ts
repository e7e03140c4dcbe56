import type { ConfigSource, GatewayConfig } from '../config/config.ts'
import { parseConfig } from '../config/config-file.ts'
import { readSource } from '../config/config-source.ts'
import type { Arguments } from './arguments.ts'
import { proxySource } from './proxy.ts'

/**
 * Runs a gateway in one process, or in several.
 * @returns the exit code, when it has ended
 * @throws ConfigError for a file with problems
 */
export async function serve(parsed: Arguments): Promise<number> {
  const source = sourceReader(parsed)
  const config = parseConfig(source())
  const reread = (): GatewayConfig => parseConfig(source())
  if (config.workers > 1) {
    const { runWorkers } = await import('../workers/run-workers.ts')
    return runWorkers(config, parsed.pretty, reread)
  }
  const { runProcess } = await import('../process.ts')
  return runProcess(config, parsed.pretty, reread)
}

/** Reads the file anew each time; `limpet proxy` has none. */
function sourceReader({ word, config, adapter, watch, from, to }: Arguments): () => ConfigSource {
  if (word !== 'proxy') return () => readSource(config, adapter, watch ? 'watch' : undefined)
  const source = proxySource({ from, to }, adapter)
  return () => source
}
