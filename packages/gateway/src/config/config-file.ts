import type { OptionError } from '@limpet/core'
import { table } from '@limpet/core/options'
import { ConfigError, type ConfigSource, type GatewayConfig } from './config.ts'
import { CONFIG_OPTIONS, type ConfigFile } from './config-options.ts'
import { type CheckOptions, ConfigReader } from './config-reader.ts'
import { parseText } from './config-source.ts'
import { ProblemList } from './problem.ts'

const CONFIG = table(CONFIG_OPTIONS)

/** @throws ConfigError with everything that is wrong, and nothing else: a gateway that reads its file again goes on */
export function parseConfig(source: ConfigSource, options: CheckOptions = {}): GatewayConfig {
  try {
    return parse(source, options)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([{ path: '', text: `the file cannot be checked (${nameOf(error)})` }])
  }
}

/** Without the message, which may hold a part of the file. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

function parse(source: ConfigSource, options: CheckOptions): GatewayConfig {
  const errors: OptionError[] = []
  // The tables have checked what is left of it.
  const file = CONFIG.readFile('', parseText(source.text), errors) as ConfigFile | undefined
  const problems = new ProblemList()
  problems.addAll(errors.flatMap(error => error.problems))
  if (file === undefined) throw new ConfigError(problems.all)
  return new ConfigReader(file, source, problems, options).read()
}
