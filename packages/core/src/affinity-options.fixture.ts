import type { AffinityOptions } from './affinity-options.ts'
import { requestHead } from './head.ts'
import type { AffinityPolicy } from './policies/policy.ts'

export const REQUEST = requestHead({
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  rawHeaders: [],
  headers: {},
  socket: {},
})

export const SECRET = 'correct horse battery staple, and then some more'

export const BACKENDS = [{ id: 'a', url: 'http://a.test:80' }]

export const LEAST: AffinityOptions = { backends: BACKENDS, secrets: [SECRET] }

export const POLICY: AffinityPolicy = { name: 'nothing', read: () => ({ kind: 'none' }) }
