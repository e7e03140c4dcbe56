import type { Affinity } from '@limpet/core'
import type { Backend } from './backend.ts'
import type { Asked } from './http-client.ts'
import { hang, resetBeforeHead } from './scripts.ts'

/** Brings an error about, before the request is sent. */
export type Prepare = (w1: { backend: Backend; affinity: Affinity }) => unknown

/** Each of our errors, and how to come by it: with one backend, a `bodyLimit` of 100 and a short `timeouts.response`. */
export const OWN_ERRORS: readonly [
  name: string,
  status: number,
  code: string,
  prepare: Prepare,
  asked: Asked,
][] = [
  ['an empty pool', 503, 'ERR_NO_BACKEND', w1 => w1.affinity.pool.remove('w1'), {}],
  ['a backend that is gone', 502, 'ERR_BACKEND_FAILED', async w1 => w1.backend.refuse(), {}],
  [
    'one that is gone before a POST',
    502,
    'ERR_BACKEND_FAILED',
    async w1 => w1.backend.refuse(),
    { method: 'POST', body: 'x' },
  ],
  ['a backend that dies', 502, 'ERR_BACKEND_FAILED', w1 => (w1.backend.script = resetBeforeHead), {}],
  ['a backend that hangs', 504, 'ERR_BACKEND_FAILED', w1 => (w1.backend.script = hang), {}],
  ['a wrong Host', 400, 'ERR_REFUSED_REQUEST', () => undefined, { headers: { Host: 'a/b' } }],
  ['too much', 413, 'ERR_REFUSED_REQUEST', () => undefined, { method: 'POST', body: 'x'.repeat(101) }],
]

/** Of those: no backend has received the request, so the client may repeat it. */
export function hasReachedNoBackend(name: string): boolean {
  return /empty|gone/.test(name)
}
