/** An operation took longer than its deadline. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'

  constructor(ms: number) {
    super(`no reply within ${ms} ms`)
  }
}

/**
 * Settles as `result` does, or rejects with `DeadlineError` after `ms`.
 * A reply that is waiting in the socket when the timer fires still counts: the process was late, not the server.
 */
export async function within<T>(ms: number, result: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => setImmediate(() => reject(new DeadlineError(ms))), ms)
  result.then(resolve, reject)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}
