/*
 * The entry `@limpet/core/options`: how options are declared once, for packages beside core, and those of core's
 * own options that adapters take.
 */
export type { JsonSchema } from './options/json-schema.ts'
export { isRecord, type OptionProblem, throwAll, unknownKeys } from './options/option.ts'
export { attempt, codeOnly, compiled, needed, type OptionKind, parsed } from './options/option-kind.ts'
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
export { HEALTH } from './health/health-options.ts'
export { HEADER_EDITS, parseHeaderSet } from './http/header-edits.ts'
