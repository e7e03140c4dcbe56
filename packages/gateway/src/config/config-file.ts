import { ConfigError, type ConfigSource, type GatewayConfig } from './config.ts'
import { ConfigReader } from './config-reader.ts'
import { parseText } from './config-source.ts'
import { isWithin } from './pool-problems.ts'
import { type Problem, problemsIn } from './problems.ts'
import { salvage } from './prune-invalid.ts'
import { type ConfigFile, configSchema } from './schema.ts'

/** @throws ConfigError with everything that is wrong, and nothing else: a gateway that reads its file again goes on */
export function parseConfig(source: ConfigSource): GatewayConfig {
  try {
    return parse(source)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([{ path: '', text: `the file cannot be checked (${nameOf(error)})` }])
  }
}

/** Without the message, which may hold a part of the file. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

function parse(source: ConfigSource): GatewayConfig {
  const value = parseText(source.text)
  const parsed = configSchema.safeParse(value)
  if (parsed.success) return new ConfigReader(parsed.data, source).read()
  const problems = problemsIn(configSchema, value, parsed.error)
  const rest = salvage(configSchema, value, parsed.error)
  throw new ConfigError([...problems, ...(rest === undefined ? [] : problemsBeside(problems, rest, source))])
}

/** The problems of a file after its invalid parts were removed, without those that the removal caused. */
function problemsBeside(
  problems: readonly Problem[],
  rest: ConfigFile,
  source: ConfigSource,
): readonly Problem[] {
  try {
    new ConfigReader(rest, source).read()
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.filter(({ path }) => {
      // A problem of a whole entry of a list stands beside the problems of the others.
      const list = path.replace(/\[\d+\]$/, '')
      return !problems.some(known => isWithin(known.path, list) || isWithin(path, known.path))
    })
  }
}
