import { isAffinityError } from '@limpet/core'

/**
 * Express's own page shows an error's `stack` to the client, unless NODE_ENV is `production`. The stack of an error
 * of limpet's moves to its `cause`, for logs, before Express has the error: the page shows the message alone.
 */
export function stackInCause<E>(error: E): E {
  if (!isAffinityError(error)) return error
  const { message, cause, stack } = error
  const traced = new Error(message, { cause })
  traced.name = error.name
  if (stack !== undefined) traced.stack = stack
  error.cause = traced
  error.stack = message
  return error
}
