/*
 * The entry `@limpet/core/adapter`: the parts of core that a forwarder needs beside `createAffinity` and `requestHead`.
 */
export { AFFINITY_OPTION_KEYS } from './affinity-options.ts'
export { roundRobin } from './balancers/round-robin.ts'
export { cookiesCollide, cookiesCollideAcrossHosts, type WrittenCookie } from './http/cookie-path.ts'
export { debugTokens } from './explaining/debug-tokens.ts'
export { pinToken } from './explaining/pin-tokens.ts'
export { OBSTACLES } from './explaining/reason.ts'
export { withDecision } from './explaining/decision-field.ts'
export { publishRefused } from './diagnostics.ts'
export { startDiscovery } from './discovery/discovery.ts'
export { type DiscoverySettings, parseDiscovery } from './discovery/discovery-options.ts'
export { isDiscoverySource } from './discovery/discovery-source.ts'
export type { Found, Lookup } from './discovery/lookup.ts'
export { lookupSource } from './discovery/lookup-source.ts'
export { type ResolvedBackend, serviceBackends, type ServiceRecord } from './discovery/resolved-backend.ts'
export {
  BackendFailedError,
  CookieCollisionError,
  InvalidEditError,
  attemptError,
  NoBackendError,
  RefusedRequestError,
} from './errors.ts'
export { isLocalError, isRepeatable } from './failure.ts'
export { type HealthChecks, type Probe, type ProbeResult, startHealthChecks } from './health/health-checks.ts'
export { type HealthSettings, parseHealth } from './health/health-options.ts'
export { markNominations } from './http/nominations.ts'
export { editedValues, type HeaderEdits, isProtected } from './http/header-edits.ts'
export { editResponse, type ResponseEdits } from './http/response-edits.ts'
export { mergeFields } from './http/merged-fields.ts'
export { trailerFields } from './http/trailer-fields.ts'
export { parsedFields } from './http/wire-fields.ts'
export { WrappedLease } from './wrapped-lease.ts'
