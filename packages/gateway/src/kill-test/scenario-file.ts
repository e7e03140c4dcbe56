import { statSync } from 'node:fs'
import { ConfigError } from '../config/config.ts'
import { parseText } from '../config/config-source.ts'
import { readText } from '../config/secret-ref.ts'
import { isWithin } from '../config/pool-problems.ts'
import { type Problem, problemsIn } from '../config/problems.ts'
import { salvage } from '../config/prune-invalid.ts'
import type { Scenario } from './scenario.ts'
import { ScenarioReader } from './scenario-reader.ts'
import { scenarioSchema } from './scenario-schema.ts'

/** Longest scenario file, in bytes. */
const MAX_FILE = 1024 * 1024

/** The text of a scenario file. @throws ConfigError when it is no file, too long, or cannot be read */
export function scenarioText(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) throw wrong('does not exist')
  if (!stats.isFile()) throw wrong('is no file')
  if (stats.size > MAX_FILE) throw wrong('is longer than 1 MiB')
  try {
    return readText(file)
  } catch (error) {
    throw wrong((error as Error).message)
  }
}

/**
 * @param name for reports, when the text has none
 * @throws ConfigError with everything that is wrong
 */
export function parseScenario(text: string, name: string): Scenario {
  if (text.replaceAll(/^\s*(?:#.*)?$/gm, '').trim() === '') throw wrong('is empty; it takes at least repeat')
  const value = parseText(text)
  const parsed = scenarioSchema.safeParse(value)
  const problems = parsed.success ? [] : problemsIn(scenarioSchema, value, parsed.error)
  const rest = parsed.success ? parsed.data : salvage(scenarioSchema, value, parsed.error)
  if (rest === undefined) throw new ConfigError(problems)
  const reader = new ScenarioReader(rest)
  const scenario = reader.read(name)
  const all = [...problems, ...reader.problems.filter(({ path }) => isNews(path, problems))]
  if (all.length > 0) throw new ConfigError(all)
  return scenario
}

/** Removing an invalid part can itself make a value invalid; that is not a new problem. */
function isNews(path: string, known: readonly Problem[]): boolean {
  return !known.some(problem => isWithin(problem.path, path) || isWithin(path, problem.path))
}

function wrong(text: string): ConfigError {
  return new ConfigError([{ path: '', text }])
}
