import { isForwardingField } from '../http/forwarded.ts'
import { HOP_BY_HOP } from '../http/hop-by-hop.ts'
import { TOKEN } from '../http/token.ts'
import { isRecord, OptionError, throwAll } from '../options/option.ts'
import type { AffinityPolicy } from './policy.ts'

export function isPolicy(value: unknown): value is AffinityPolicy {
  return typeof value === 'object' && value !== null && 'read' in value
}

/**
 * The user's own object, for it may be of a class.
 * @throws OptionError naming every member that is not of its type
 */
export function checkedPolicy(path: string, policy: unknown): AffinityPolicy {
  if (!isPolicy(policy)) throw new OptionError(path, policy, 'an object with read')
  const errors: OptionError[] = []
  const { name, forwardHeaders } = policy
  if (name !== undefined && typeof name !== 'string')
    errors.push(new OptionError(`${path}.name`, name, 'a text'))
  for (const method of ['read', 'explain', 'write', 'responded', 'sessions', 'sessionsSeen'] as const) {
    const value: unknown = policy[method]
    if (typeof value !== 'function' && (value !== undefined || method === 'read'))
      errors.push(new OptionError(`${path}.${method}`, value, 'a function'))
  }
  errors.push(...fieldProblems(`${path}.forwardHeaders`, forwardHeaders))
  throwAll(errors)
  return policy
}

const FIELDS = 'an object of functions by the lower-case names of header fields'

/** Fields that frame a message or belong to a connection, and those of the gateway, are never a policy's. */
function fieldProblems(path: string, fields: unknown): OptionError[] {
  if (fields === undefined) return []
  if (!isRecord(fields)) return [new OptionError(path, fields, FIELDS)]
  return Object.entries(fields).flatMap(([name, forward]) => {
    if (!isForwardable(name)) return [new OptionError(path, name, FIELDS)]
    return typeof forward === 'function' ? [] : [new OptionError(`${path}.${name}`, forward, 'a function')]
  })
}

const NEVER: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'host', 'content-length', 'expect'])

function isForwardable(name: string): boolean {
  return TOKEN.test(name) && name === name.toLowerCase() && !NEVER.has(name) && !isForwardingField(name)
}
