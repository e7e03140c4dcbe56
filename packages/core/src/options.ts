/*
 * The entry `@limpet/core/options`: how options are declared once, for packages beside core, and the tables of core's
 * own options.
 */
export type { JsonSchema } from './options/json-schema.ts'
export { isRecord, type OptionProblem, optionPath, throwAll, unknownKeys } from './options/option.ts'
export {
  asGiven,
  attempt,
  codeOnly,
  compiled,
  type InOf,
  kind,
  needed,
  type OptionKind,
  type OutOf,
  parsed,
  parseOption,
} from './options/option-kind.ts'
export {
  boolean,
  duration,
  either,
  integer,
  list,
  number,
  oneOf,
  text,
  word,
} from './options/option-kinds.ts'
export {
  type OptionsOf,
  type OptionTable,
  optionTable,
  type ParsedOptions,
  table,
} from './options/option-table.ts'
export { AFFINITY_OPTIONS } from './affinity-options.ts'
export { DISCOVERY_OPTIONS } from './discovery/discovery-options.ts'
export { HEALTH } from './health/health-options.ts'
export { HEADER_EDITS } from './http/header-edits.ts'
