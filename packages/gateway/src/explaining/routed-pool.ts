import { AdminError } from '../admin/admin-error.ts'
import { AMBIGUOUS, type Router } from '../config/routes.ts'
import { linesOf, type ParsedQuestion } from './question.ts'

/**
 * The name of the pool that the routes give the request of a question.
 * @throws AdminError for a request that the gateway would answer by itself
 */
export function routedPool(question: ParsedQuestion, route: Router): string {
  const host = linesOf(question).find(([name]) => name.toLowerCase() === 'host')?.[1]
  const name = route(host, question.url)
  if (name === AMBIGUOUS)
    throw new AdminError(
      400,
      'BAD_REQUEST',
      'servers read this target in different ways, so the gateway refuses it with 400',
    )
  if (name === undefined)
    throw new AdminError(
      404,
      'NO_ROUTE',
      'no route matches this host and path, so the gateway responds with 404; name a pool to ask it all the same',
    )
  return name
}
