/*
 * The entry `@limpet/core/options`: how options are declared once, for packages beside core, and those of core's
 * own options that adapters take.
 */
export type { JsonSchema } from './options/json-schema.ts'
export {
  isRecord,
  optionInteger,
  optionObject,
  redact,
  type OptionProblem,
  throwAll,
  unknownKeys,
  wordError,
} from './options/option.ts'
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
} from './options/option-kind.ts'
export { either, list, oneOf } from './options/composed-kinds.ts'
export { duration } from './options/duration-kind.ts'
export { boolean, callback, integer, number, text, word } from './options/plain-kinds.ts'
export { record } from './options/record-kind.ts'
export {
  type OptionEntries,
  type OptionsOf,
  type OptionTable,
  optionTable,
  type ParsedOptions,
  type Retyped,
  table,
  withKinds,
} from './options/option-table.ts'
export { AFFINITY_OPTIONS } from './affinity-options.ts'
export { type HashKeys } from './balancers/hash-key.ts'
export { BALANCER_NAMES } from './balancers/balancer-options.ts'
export { HASH_OPTIONS } from './balancers/hash-options.ts'
export { BACKENDS, type ParsedBackend } from './pool/backend.ts'
export { type OutlierDetectionSettings } from './pool/outlier-detection.ts'
export { type RetryOn } from './selection/retry-on.ts'
export { type TrustProxy } from './http/client.ts'
export { DISCOVERY_OPTIONS } from './discovery/discovery-options.ts'
export { HEALTH } from './health/health-options.ts'
export { HEADER_EDITS, parseHeaderSet } from './http/header-edits.ts'
export { RESPONSE_EDITS } from './http/response-edits.ts'
export { TRUST_PROXY } from './http/trust-proxy.ts'
export { durationMs } from './options/duration.ts'
export { nearMiss } from './options/near-miss.ts'
