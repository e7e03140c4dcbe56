export { type Affinity, createAffinity, type OnceGone } from './affinity.ts'
export { AFFINITY_OPTION_KEYS, type AffinityOptions } from './affinity-options.ts'
export type { AdminState, Backend, BackendOptions } from './pool/backend.ts'
export type { Balancer } from './balancers/balancer.ts'
export type { BalanceOptions, BalancerName } from './balancers/balancer-options.ts'
export { first } from './balancers/first.ts'
export type { ForwardField } from './http/request-lines.ts'
export type { HashKey } from './balancers/hash-key.ts'
export type { HashBalancerOptions } from './balancers/hash-options.ts'
export { leastRequests } from './balancers/least-requests.ts'
export { random } from './balancers/random.ts'
export { randomTwo } from './balancers/random-two.ts'
export { roundRobin } from './balancers/round-robin.ts'
export type { Client } from './http/client.ts'
export type { CookiePolicyOptions } from './policies/cookie/cookie-options.ts'
export { cookiesCollide, cookiesCollideAcrossHosts, type WrittenCookie } from './http/cookie-path.ts'
export type { ForeignFormat } from './policies/cookie/foreign-format.ts'
export type {
  RespondedEvent,
  ConnectedEvent,
  DiscoveryFailedEvent,
  DiscoveryRecoveredEvent,
  DrainedEvent,
  FailedEvent,
  HealthChangedEvent,
  LimpetChannel,
  LimpetEvents,
  MembersChangedEvent,
  PolicyFailedEvent,
  QueuedEvent,
  RedispatchedEvent,
  RefusedEvent,
  ReleasedEvent,
  RequestEvent,
  RetryBudgetExhaustedEvent,
  SelectedEvent,
  SessionMovedEvent,
  StateChangedEvent,
} from './diagnostics.ts'
export { onEvent, publishRefused } from './diagnostics.ts'
export { startDiscovery } from './discovery/discovery.ts'
export {
  type DiscoveryOptions,
  type DiscoverySettings,
  parseDiscovery,
} from './discovery/discovery-options.ts'
export {
  type DiscoveredBackend,
  type Discovery,
  type DiscoveryListener,
  type DiscoverySource,
  isDiscoverySource,
} from './discovery/discovery-source.ts'
export type { Discovered } from './pool/discovered.ts'
export type { Found, Lookup } from './discovery/lookup.ts'
export { lookupSource } from './discovery/lookup-source.ts'
export { type ResolvedBackend, serviceBackends, type ServiceRecord } from './discovery/resolved-backend.ts'
export type { Drain, DrainOptions, DrainResult } from './pool/drain.ts'
export { type Duration, durationMs } from './options/duration.ts'
export type { AffinityStatus } from './counts/affinity-status.ts'
export type {
  BackendFailureKind,
  CheckResult,
  EndedDrain,
  CountedConnection,
  MoveReason,
} from './counts/backend-counts.ts'
export { HISTOGRAM_BOUNDS_MS, type HistogramFigures, quantileMs } from './counts/histogram.ts'
export type { BackendFigures, CheckFigures, DrainFigures, PoolFigures, ResponseClass } from './figures.ts'
export {
  type AffinityError,
  BackendFailedError,
  CookieCollisionError,
  InvalidEditError,
  attemptError,
  isAffinityError,
  LocalResourceError,
  NoBackendError,
  type RefusalReason,
  RefusedRequestError,
} from './errors.ts'
export { isFailedReference } from './signing/failed-reference.ts'
export { type Failure, type FailureKind, isLocalError, isRepeatable } from './failure.ts'
export {
  type HeaderFields,
  type NodeRequest,
  type RawHeaders,
  type RequestEdits,
  type RequestHead,
  requestHead,
  type RequestView,
  type ResponseHead,
} from './head.ts'
export { type HealthChecks, type Probe, type ProbeResult, startHealthChecks } from './health/health-checks.ts'
export {
  type HealthExpectation,
  type HealthOptions,
  type HealthSettings,
  parseHealth,
} from './health/health-options.ts'
export type { IgnoreOptions } from './selection/ignore.ts'
export type { LearnPolicyOptions } from './policies/learn/learn-options.ts'
export type { Lease } from './lease.ts'
export { nearMiss } from './options/near-miss.ts'
export {
  OptionError,
  optionBoolean,
  optionInteger,
  optionObject,
  optionOneOf,
  redact,
} from './options/option.ts'
export { markNominations } from './http/nominations.ts'
export {
  editedValues,
  type HeaderEditOptions,
  type HeaderEdits,
  isProtected,
  parseHeaderEdits,
} from './http/header-edits.ts'
export { mergeFields } from './http/merged-fields.ts'
export { trailerFields } from './http/trailer-fields.ts'
export type {
  AffinityPolicy,
  Claim,
  Claims,
  PolicyContext,
  ResponseContext,
  SessionReport,
} from './policies/policy.ts'
export type { OutlierDetectionOptions } from './pool/outlier-detection.ts'
export type { PolicyOptions } from './policies/policy-options.ts'
export type { Candidates } from './pool/candidates.ts'
export type { BackendView } from './pool/backend-view.ts'
export type { Pool } from './pool/pool.ts'
export type { PrefixPolicyOptions } from './policies/prefix/prefix-options.ts'
export type { RetryCondition } from './selection/retry-on.ts'
export type { RetryBudgetOptions } from './selection/retry-budget.ts'
export type { RoutePolicyOptions } from './policies/route/route-policy.ts'
export type { Secret } from './signing/secrets.ts'
export { MemoryStore } from './policies/store/memory-store.ts'
export type { MemoryStoreOptions } from './policies/store/memory-store-options.ts'
export type { Pseudonyms } from './policies/store/pseudonyms.ts'
export type { AffinityStore, OpenStore, SharedStore, StoreContext } from './policies/store/store.ts'
export type { FieldKind, RequestField } from './http/request-field.ts'
