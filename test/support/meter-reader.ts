import type { Meter } from '@opentelemetry/api'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { onTestFinished } from 'vitest'

class Reader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/** A value with its attributes, as the SDK of OpenTelemetry has collected it. */
export interface MeterPoint {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

/** A real meter, until the test ends. */
export function startMeter(): {
  readonly meter: Meter
  readonly points: (name: string) => Promise<readonly MeterPoint[]>
} {
  const reader = new Reader()
  const provider = new MeterProvider({ readers: [reader] })
  onTestFinished(async () => provider.shutdown())
  return {
    meter: provider.getMeter('limpet'),
    async points(name) {
      const { resourceMetrics } = await reader.collect()
      const all = resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics)
      return all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []
    },
  }
}
