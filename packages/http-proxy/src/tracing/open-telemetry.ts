/** The key under which every @opentelemetry/api 1 registers its parts, whichever copy of it an application loads. */
const API = Symbol.for('opentelemetry.js.api.1')

/** Values that travel with a request, as @opentelemetry/api defines them. */
export interface Context {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): Context
  deleteValue(key: symbol): Context
}

/** The registered parts of OpenTelemetry that limpet asks. */
export interface OpenTelemetry {
  readonly context?: {
    active(): Context
    with(context: Context, work: () => void): void
  }
  readonly propagation?: { fields?: () => readonly string[] }
}

/** Each part is undefined until the application registers it. */
export function openTelemetry(): OpenTelemetry {
  return (Reflect.get(globalThis, API) ?? {}) as OpenTelemetry
}
