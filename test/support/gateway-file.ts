import type { Backend } from './backend.ts'

export const ADAPTERS = ['fastify', 'express', 'koa'] as const
const SECRET = 'a-secret-of-the-tests-0123456789abcdef'

/** A configuration with one pool, `web`, that has the cookie. */
export function fileOf(
  backends: readonly Pick<Backend, 'options'>[],
  more: object = {},
  pool: object = {},
): object {
  return {
    listen: '127.0.0.1:0',
    secrets: [SECRET],
    admin: { listen: '127.0.0.1:0' },
    pools: {
      web: { backends: backends.map(({ options }) => options), affinity: [{ cookie: {} }], ...pool },
    },
    ...more,
  }
}
