import { type Affinity, createAffinity } from '../../affinity.ts'
import type { AffinityOptions } from '../../affinity-options.ts'
import { type HeaderFields, type NodeRequest, requestHead } from '../../head.ts'
import type { Lease } from '../../lease.ts'
import type { LearnPolicyOptions } from './learn-options.ts'

export interface Facts {
  readonly learn?: LearnPolicyOptions
  readonly clock?: { ms: number }
  readonly more?: Partial<AffinityOptions>
}

export function affinityOf({
  learn = { cookie: 'sid', ttl: '2s' },
  clock = { ms: 0 },
  more,
}: Facts = {}): Affinity {
  return createAffinity({
    backends: ['a', 'b', 'c'].map(id => ({ id, url: `http://${id}.test:80` })),
    affinity: [{ learn }],
    now: () => clock.ms,
    ...more,
  })
}

export async function select(
  affinity: Affinity,
  sent: Record<string, string> = {},
  url = '/',
): Promise<Lease> {
  const headers = { host: 'shop.test', ...sent }
  const message: NodeRequest = {
    method: 'GET',
    url,
    httpVersion: '1.1',
    headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: {},
  }
  return affinity.select(requestHead(message))
}

/** One exchange: its backend, and its affinity status. */
export async function ask(
  affinity: Affinity,
  sent: Record<string, string> = {},
  answer: HeaderFields = {},
  url = '/',
): Promise<readonly [id: string, status: string]> {
  const lease = await select(affinity, sent, url)
  lease.responded({ statusCode: 200, headers: answer })
  lease.release()
  return [lease.backend.id, lease.status]
}

export async function begin(affinity: Affinity, sid: string): Promise<string> {
  const [id] = await ask(affinity, {}, { 'set-cookie': [`sid=${sid}; Path=/`] })
  return id
}
