export { type Affinity, createAffinity, type OnceGone } from './affinity.ts'
export type { AffinityOptions } from './affinity-options.ts'
export type { AdminState, Backend, BackendOptions } from './pool/backend.ts'
export type { Balancer } from './balancers/balancer.ts'
export type { BalanceOptions, BalancerName } from './balancers/balancer-options.ts'
export type { ForwardField } from './http/request-lines.ts'
export type { HashKey } from './balancers/hash-key.ts'
export type { HashBalancerOptions } from './balancers/hash-options.ts'
export type { Client } from './http/client.ts'
export type { CookiePolicyOptions } from './policies/cookie/cookie-options.ts'
export type { ForeignFormat } from './policies/cookie/foreign-format.ts'
export {
  type RespondedEvent,
  type ConnectedEvent,
  type DiscoveryFailedEvent,
  type DiscoveryRecoveredEvent,
  type DrainedEvent,
  type FailedEvent,
  type HealthChangedEvent,
  type LimpetChannel,
  type LimpetEvents,
  type MembersChangedEvent,
  type PolicyFailedEvent,
  type QueuedEvent,
  type RedispatchedEvent,
  type RefusedEvent,
  type ReleasedEvent,
  type RequestEvent,
  type RetryBudgetExhaustedEvent,
  type SelectedEvent,
  type SessionMovedEvent,
  type StateChangedEvent,
  onEvent,
} from './diagnostics.ts'
export type { DiscoveryOptions } from './discovery/discovery-options.ts'
export type {
  DiscoveredBackend,
  Discovery,
  DiscoveryListener,
  DiscoverySource,
} from './discovery/discovery-source.ts'
export type { Discovered } from './pool/discovered.ts'
export type { Drain, DrainOptions, DrainResult } from './pool/drain.ts'
export type { Duration } from './options/duration.ts'
export type { AffinityStatus } from './counts/affinity-status.ts'
export type {
  BackendFailureKind,
  CheckResult,
  EndedDrain,
  CountedConnection,
  MoveReason,
} from './counts/backend-counts.ts'
export { type DrainForecast, drainForecast } from './drain-forecast.ts'
export { HISTOGRAM_BOUNDS_MS, type HistogramFigures, quantileMs } from './counts/histogram.ts'
export type { BackendFigures, CheckFigures, DrainFigures, PoolFigures, ResponseClass } from './figures.ts'
export {
  type AffinityError,
  type BackendFailedError,
  type CookieCollisionError,
  type InvalidEditError,
  isAffinityError,
  type LocalResourceError,
  type NoBackendError,
  type RefusalReason,
  type RefusedRequestError,
} from './errors.ts'
export type { Failure, FailureKind } from './failure.ts'
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
export type { HealthExpectation, HealthOptions } from './health/health-options.ts'
export type { DebugTokenOptions } from './explaining/debug-tokens.ts'
export type { PinTokenOptions } from './explaining/pin-tokens.ts'
export type {
  AttemptExplanation,
  BackendExplanation,
  ExplainedError,
  Explanation,
  KeyExplanation,
  Obstacle,
  PolicyExplanation,
} from './explaining/explanation.ts'
export type { IgnoreOptions } from './selection/ignore.ts'
export type { LearnPolicyOptions } from './policies/learn/learn-options.ts'
export type { Lease } from './lease.ts'
export { OptionError } from './options/option.ts'
export type { HeaderEditOptions } from './http/header-edits.ts'
export type {
  AffinityPolicy,
  Claim,
  Claims,
  ExplainedKey,
  PolicyContext,
  ResponseContext,
  SessionReport,
} from './policies/policy.ts'
export type { OutlierDetectionOptions } from './pool/outlier-detection.ts'
export type { PolicyOptions } from './policies/policy-options.ts'
export type { Candidates } from './pool/candidates.ts'
export type { BackendView } from './pool/backend-view.ts'
export type { CheckDuty, CheckedState } from './pool/check-duty.ts'
export type { Pool } from './pool/pool.ts'
export type { PrefixPolicyOptions } from './policies/prefix/prefix-options.ts'
export type { RetryCondition } from './selection/retry-on.ts'
export type { RetryBudgetOptions } from './selection/retry-budget.ts'
export type { RoutePolicyOptions } from './policies/route/route-policy.ts'
export type { Secret } from './signing/secrets.ts'
export { MemoryStore, type StoredSession } from './policies/store/memory-store.ts'
export type { MemoryStoreOptions } from './policies/store/memory-store-options.ts'
export type { Pseudonyms } from './policies/store/pseudonyms.ts'
export type { AffinityStore, OpenStore, SharedStore, StoreContext } from './policies/store/store.ts'
export type { FieldKind, RequestField } from './http/request-field.ts'
