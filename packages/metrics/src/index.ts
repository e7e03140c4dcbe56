export { type Exposition, exposition, inTurns, type MetricNames } from './exposition.ts'
export { type Metrics, metrics, type MetricsSource, namesIn, type ScrapeRequest } from './metrics.ts'
export { observeHttp } from './http-durations.ts'
export { observe } from './open-telemetry.ts'
