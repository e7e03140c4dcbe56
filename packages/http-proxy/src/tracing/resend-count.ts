import { type Context, openTelemetry } from './open-telemetry.ts'

/** The attribute of a client span (OpenTelemetry, semantic conventions for HTTP). The first attempt has none. */
const RESEND_COUNT = 'http.request.resend_count'

/**
 * Makes an attempt, and marks its client span if the application traces with OpenTelemetry.
 * @param count attempts that were made before; 0: the span is not marked
 */
export function withResendCount(count: number, attempt: () => void): void {
  const manager = count === 0 ? undefined : openTelemetry().context
  if (manager === undefined) attempt()
  else manager.with(new ResendContext(manager.active(), count), attempt)
}

/**
 * The context of one attempt. The instrumentations of node:http and of undici keep a client span for themselves, but
 * both put it into the active context as soon as it has begun. Only the first span is the attempt's.
 */
class ResendContext implements Context {
  readonly #base: Context
  readonly #count: number
  #isMarked = false

  constructor(base: Context, count: number) {
    this.#base = base
    this.#count = count
  }

  getValue(key: symbol): unknown {
    return this.#base.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    if (!this.#isMarked && isSpan(value)) {
      this.#isMarked = true
      value.setAttribute(RESEND_COUNT, this.#count)
    }
    return this.#base.setValue(key, value)
  }

  deleteValue(key: symbol): Context {
    return this.#base.deleteValue(key)
  }
}

interface Span {
  spanContext(): unknown
  setAttribute(name: string, value: number): unknown
}

function isSpan(value: unknown): value is Span {
  return typeof value === 'object' && value !== null && 'spanContext' in value && 'setAttribute' in value
}
