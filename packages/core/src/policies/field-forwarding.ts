import { InvalidEditError } from '../errors.ts'
import { type FieldForwarding, type ForwardField, mayConcernAlso } from '../http/request-lines.ts'
import type { AffinityPolicy } from './policy.ts'

/** Characters that end a line, or that no field value may have (RFC 9110 §5.5). */
const INVALID = /[^\t\x20-\x7e\x80-\xff]/

/**
 * Folds what the policies do to request fields into one function for each field; most lists have one, for Cookie.
 * @param users those of the policies that are the user's: what they return is checked
 */
export function fieldForwarding(
  policies: readonly AffinityPolicy[],
  users: ReadonlySet<AffinityPolicy>,
): FieldForwarding {
  const byName = new Map<string, ForwardField>()
  for (const policy of policies) {
    for (const [name, forward] of Object.entries(policy.forwardHeaders ?? {})) {
      const own = users.has(policy) ? checked(name, forward) : forward
      const before = byName.get(name)
      byName.set(name, before === undefined ? own : inTurn(before, own))
    }
  }
  return { mayConcern: mayConcernAlso(byName.keys()), byName }
}

function inTurn(first: ForwardField, second: ForwardField): ForwardField {
  return (value, request) => {
    const kept = first(value, request)
    return kept === '' ? '' : second(kept, request)
  }
}

function checked(name: string, forward: ForwardField): ForwardField {
  return (value, request) => {
    const forwarded: unknown = forward(value, request)
    if (forwarded === value) return value
    if (typeof forwarded !== 'string')
      throw new InvalidEditError(`forwardHeaders.${name}`, 'returned no string')
    if (INVALID.test(forwarded))
      throw new InvalidEditError(`forwardHeaders.${name}`, 'returned a character that no field may have')
    return forwarded
  }
}
