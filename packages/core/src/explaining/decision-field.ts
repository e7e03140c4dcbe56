import type { AffinityError } from '../errors.ts'
import type { BackendExplanation, Explanation } from './explanation.ts'

/** The response field of a decision. */
export const DECISION_FIELD = 'limpet-decision'

/** Clients and proxies have room for 8 KB of header lines in all, and more. */
const MAX_BYTES = 4096

/**
 * An explanation as JSON for a header field: ASCII, and 4096 characters at most. Backends that no key and no attempt
 * names are left out first, then the policies' notes and keys.
 */
export function decisionText(explanation: Explanation): string {
  const whole = ascii(explanation)
  if (whole.length <= MAX_BYTES) return whole
  const named = namedIn(explanation)
  const { backends } = explanation
  const first = backends.filter(({ id }) => named.has(id))
  const rest = backends.filter(({ id }) => !named.has(id))
  for (let kept = rest.length; kept > 0;) {
    kept >>= 1
    const text = ascii(withBackends(explanation, [...first, ...rest.slice(0, kept)]))
    if (text.length <= MAX_BYTES) return text
  }
  const bare: Explanation = {
    ...withBackends(explanation, []),
    policies: [],
    attempts: (explanation.attempts ?? []).slice(-MAX_ATTEMPTS),
  }
  return ascii(bare)
}

const MAX_ATTEMPTS = 10

/** An error whose response has the decision, too. */
export function withDecision<E extends AffinityError>(error: E, explanation: Explanation): E {
  const headers = { ...error.headers, [DECISION_FIELD]: decisionText(explanation) }
  return Object.assign(error, { headers })
}

function withBackends(explanation: Explanation, backends: readonly BackendExplanation[]): Explanation {
  return { ...explanation, backends, backendsLeftOut: explanation.backends.length - backends.length }
}

function namedIn({ backend, policies, attempts = [] }: Explanation): ReadonlySet<string | undefined> {
  const keys = policies.flatMap(policy => policy.keys)
  return new Set([backend, ...keys.map(key => key.backend), ...attempts.map(attempt => attempt.backend)])
}

/** A field takes bytes, and JSON has an escape for every other character. */
function ascii(value: object): string {
  return JSON.stringify(value).replaceAll(
    /[^ -~]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
