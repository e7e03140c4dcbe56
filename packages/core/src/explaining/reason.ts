import type { Explanation, KeyExplanation, Obstacle } from './explanation.ts'

type Facts = Omit<Explanation, 'reason'>

/** The decision in a sentence. @param pin the id of the backend to which the request is pinned */
export function reasonOf(facts: Facts, pin?: string): string {
  const { backend, status, by, policies, balancer, waits, error } = facts
  if (error !== undefined) return `the request is refused with ${error.statusCode} (${error.code})`
  if (by === 'pin') return `the request is pinned to ${backend}`
  const lost = policies.flatMap(({ keys }) => keys).find(key => isLost(key))
  if (by === 'key') {
    const deciding = policies.find(({ keys }) => keys.some(key => decides(key, backend)))
    return `the key of the ${deciding?.policy ?? ''} policy names ${backend}, which can take the request`
  }
  const why =
    pin === undefined ? whyNoKey(facts, lost) : `the request is pinned to ${pin}, which is down or full`
  if (by === 'balancer')
    return `${why}, so ${balancer} ${backend === undefined ? 'draws a backend when the request comes' : `gives it ${backend}`}`
  if (waits !== undefined) return `${why}, so the request waits for ${waits.for ?? 'a backend'}`
  return `${why}, and no backend may take the request: 503${status === 'none' ? '' : ` (${status})`}`
}

function decides({ claim, backend, obstacle }: KeyExplanation, chosen: string | undefined): boolean {
  return claim === 'backend' && backend === chosen && obstacle === undefined
}

function isLost({ claim, obstacle }: KeyExplanation): boolean {
  return claim === 'backend' && obstacle !== undefined
}

function whyNoKey({ policies }: Facts, lost: KeyExplanation | undefined): string {
  if (lost?.obstacle !== undefined) return `the session's backend ${lost.backend} ${OBSTACLES[lost.obstacle]}`
  const keys = policies.flatMap(policy => policy.keys)
  for (const [kind, text] of KINDS) if (keys.some(({ claim }) => claim === kind)) return text
  return 'the request has no key'
}

/** The one that was valid the furthest first. */
const KINDS = [
  ['unknown', 'the key names no backend of the pool'],
  ['expired', 'the key has expired'],
  ['invalid', 'the key is invalid'],
] as const

/** Obstacles in words, each as the second half of a sentence about a backend. */
export const OBSTACLES: Readonly<Record<Obstacle, string>> = {
  down: 'is down',
  ejected: 'was taken out by outlier detection',
  maint: 'is in maintenance',
  drain: 'is draining',
  'self-drain': 'is draining by its own word',
  left: 'is draining, and the session has to move now',
  full: 'is full',
  'weight-0': 'has weight 0',
  backup: 'is a backup, and others can take the request',
  removed: 'has left the pool',
  later: 'comes after another key',
}
