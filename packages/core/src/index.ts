export { type Affinity, createAffinity, type OnceGone } from './affinity.ts'
export { AFFINITY_OPTION_KEYS, type AffinityOptions } from './affinity-options.ts'
export type { AdminState, Backend, BackendOptions } from './backend.ts'
export type { Balancer } from './balancer.ts'
export type { BalanceOptions, BalancerName } from './balancer-options.ts'
export { first } from './balancers/first.ts'
export type { HashKey } from './balancers/hash-key.ts'
export type { HashBalancerOptions } from './balancers/hash-options.ts'
export { leastRequests } from './balancers/least-requests.ts'
export { random } from './balancers/random.ts'
export { randomTwo } from './balancers/random-two.ts'
export { roundRobin } from './balancers/round-robin.ts'
export type { Client } from './client.ts'
export type { CookiePolicyOptions } from './cookie/cookie-options.ts'
export { cookiesCollide, type WrittenCookie } from './cookie/cookie-path.ts'
export type { ForeignFormat } from './cookie/foreign-format.ts'
export type {
  AnsweredEvent,
  ConnectedEvent,
  DiscoveryFailedEvent,
  DrainedEvent,
  FailedEvent,
  HealthChangedEvent,
  MembersChangedEvent,
  PolicyFailedEvent,
  QueuedEvent,
  RefusedEvent,
  ReleasedEvent,
  RetryBudgetExhaustedEvent,
  SelectedEvent,
  StateChangedEvent,
} from './diagnostics.ts'
export { startDiscovery } from './discovery/discovery.ts'
export {
  type DiscoveryOptions,
  type DiscoverySettings,
  parseDiscovery,
} from './discovery/discovery-options.ts'
export {
  type Discovered,
  type DiscoveredBackend,
  type Discovery,
  type DiscoveryListener,
  type DiscoverySource,
  isDiscoverySource,
} from './discovery/discovery-source.ts'
export type { Found, Lookup } from './discovery/lookup.ts'
export { lookupSource } from './discovery/lookup-source.ts'
export { type ResolvedBackend, serviceBackends, type ServiceRecord } from './discovery/resolved-backend.ts'
export type { Drain, DrainOptions, DrainResult } from './drain.ts'
export { type Duration, durationMs } from './duration.ts'
export type { AffinityStatus } from './decision.ts'
export {
  AffinityError,
  BackendFailedError,
  InvalidEditError,
  isAffinityError,
  NoBackendError,
  type RefusalReason,
  RefusedRequestError,
} from './errors.ts'
export { isFailedReference } from './failed-reference.ts'
export { type Failure, type FailureKind, isRepeatable } from './failure.ts'
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
export { type HealthChecks, type Probe, startHealthChecks } from './health/health-checks.ts'
export {
  type HealthExpectation,
  type HealthOptions,
  type HealthSettings,
  parseHealth,
} from './health/health-options.ts'
export type { IgnoreOptions } from './ignore.ts'
export type { LearnPolicyOptions } from './learn/learn-options.ts'
export type { Lease } from './lease.ts'
export { nearMiss } from './near-miss.ts'
export { OptionError, optionBoolean, optionInteger, optionObject, optionOneOf, redact } from './option.ts'
export { type HeaderEditOptions, type HeaderEdits, parseHeaderEdits } from './message/header-edits.ts'
export { trailerFields } from './message/trailer-fields.ts'
export type { AffinityPolicy, Answer, Claim, Claims } from './policy.ts'
export type { PassiveOptions } from './passive-health.ts'
export type { PolicyOptions } from './policy-options.ts'
export type { Candidates } from './candidates.ts'
export type { BackendView } from './backend-view.ts'
export { Pool } from './pool.ts'
export type { PrefixPolicyOptions } from './prefix/prefix-options.ts'
export type { RetryBudgetOptions } from './retry-budget.ts'
export type { RoutePolicyOptions } from './route-policy.ts'
export { parseSecrets, type Secret } from './secrets.ts'
export { MemoryStore, type MemoryStoreOptions } from './store/memory-store.ts'
export type { Pseudonyms } from './store/pseudonyms.ts'
export type { AffinityStore, OpenStore, SharedStore, StoreContext } from './store/store.ts'
export type { FieldKind, RequestField } from './request-field.ts'
