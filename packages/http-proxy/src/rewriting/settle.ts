/**
 * Calls a function of the application that may return a promise. Without one, `done` or `failed` is called at once.
 * @param failed gets the error that the function has thrown, or that its promise was rejected with
 */
export function settle(call: () => unknown, done: () => void, failed: (error: unknown) => void): void {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    failed(error)
    return
  }
  if (result instanceof Promise) result.then(done).catch(failed)
  else {
    try {
      done()
    } catch (error) {
      failed(error)
    }
  }
}
