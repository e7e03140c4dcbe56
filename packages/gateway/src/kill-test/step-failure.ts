/**
 * Why a step failed. `connection`: no complete response; `timeout`: none in time; `status`: a status of 500 or more, or 429;
 * `unexpected`: a response of the application that is not the expected one, as for a user who is logged out.
 */
export type FailureKind = 'connection' | 'timeout' | 'status' | 'unexpected'

const SHOWN_LENGTH = 300

/** Its message may quote the target, so it has no control characters and an end. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message.slice(0, SHOWN_LENGTH).replaceAll(/[\p{Cc}\p{Cf}]/gu, '?'), options)
    this.kind = kind
  }
}

/** The failure of a step, for an error from the network. */
export function failureOf(error: unknown): StepFailure {
  if (error instanceof StepFailure) return error
  const { name, code, message } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError' || /TIMEOUT|ETIMEDOUT/.test(code ?? ''))
    return new StepFailure('timeout', 'no response in time', { cause: error })
  return new StepFailure('connection', code === undefined ? message : `${code}: ${message}`, { cause: error })
}
