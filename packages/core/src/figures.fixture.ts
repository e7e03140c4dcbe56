import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import type { BackendFigures } from './figures.ts'
import type { HeaderFields } from './head.ts'
import type { Lease } from './lease.ts'
import { request } from './request.fixture.ts'

export const SECRET = 'correct horse battery staple, and then some more'

export function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:8080` }))
  return createAffinity({ backends, secrets: [SECRET], ...options })
}

export async function leaseOf(affinity: Affinity, cookie?: string): Promise<Lease> {
  return affinity.select(request(cookie))
}

/** Makes a whole request. @returns the session's cookie, as the client has it from then on */
export async function visit(
  affinity: Affinity,
  cookie?: string,
  headers: HeaderFields = {},
): Promise<string> {
  const lease = await leaseOf(affinity, cookie)
  return respond(lease, cookie, headers)
}

export function respond(lease: Lease, cookie = '', headers: HeaderFields = {}): string {
  const [line] = [lease.responded({ statusCode: 200, headers })['set-cookie'] ?? []].flat()
  lease.release()
  return line?.split(';')[0] ?? cookie
}

export function backendOf(affinity: Affinity, id: string): BackendFigures {
  const found = affinity.stats().backends.find(backend => backend.id === id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}
