import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import type { BackendFigures } from './figures.ts'
import type { HeaderFields, RequestHead } from './head.ts'
import type { Lease } from './lease.ts'

export const SECRET = 'correct horse battery staple, and then some more'

export function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:8080` }))
  return createAffinity({ backends, secrets: [SECRET], ...options })
}

export function request(cookie?: string): RequestHead {
  const lines = cookie === undefined ? [] : ['Cookie', cookie]
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', ...lines],
    headers: cookie === undefined ? { host: 'web.test' } : { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
  }
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
