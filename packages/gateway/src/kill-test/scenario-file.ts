import { statSync } from 'node:fs'
import type { OptionError } from '@limpet/core'
import { table } from '@limpet/core/options'
import { ConfigError } from '../config/config.ts'
import { parseText } from '../config/config-source.ts'
import { readText } from '../config/secret-ref.ts'
import { isConsequence } from '../config/problem.ts'
import type { Scenario } from './scenario.ts'
import { ScenarioReader } from './scenario-reader.ts'
import { SCENARIO_OPTIONS, type ScenarioFile } from './scenario-options.ts'

const SCENARIO = table(SCENARIO_OPTIONS)

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
  const errors: OptionError[] = []
  // The tables have checked what is left of it.
  const file = SCENARIO.readFile('', parseText(text), errors) as ScenarioFile | undefined
  const problems = errors.flatMap(error =>
    error.problems.map(({ option, message }) => ({ path: option, text: message })),
  )
  if (file === undefined) throw new ConfigError(problems)
  const reader = new ScenarioReader(file)
  const scenario = reader.read(name)
  const all = [...problems, ...reader.problems.filter(({ path }) => !isConsequence(path, problems))]
  if (all.length > 0) throw new ConfigError(all)
  return scenario
}

function wrong(text: string): ConfigError {
  return new ConfigError([{ path: '', text }])
}
