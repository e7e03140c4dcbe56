import { z } from 'zod'

/*
 * The shape of the configuration file. Core and the adapters check its values.
 * The JSON Schema for editors is generated from it.
 */

export const DURATION = 'a duration, as 250ms, 5s, 30m, 8h or 7d'

/** With a unit: a bare number is milliseconds to some and seconds to others. 0 is the same in all. */
const duration = z
  .union([z.literal(0), z.string().regex(/^\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d)$/)])
  .meta({ description: DURATION })

const size = z
  .union([z.int().min(0), z.string().regex(/^\d{1,12}(?:B|KiB|MiB|GiB)$/)])
  .meta({ description: 'a number of bytes, as 16KiB or 1MiB' })

const count = z.int().min(0)
const text = z.string().min(1)
const name = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .meta({ description: '1 to 64 of the characters A-Z a-z 0-9 _ -' })
const status = z.int().min(200).max(599)
const path = z.string().regex(/^\//).meta({ description: 'a path that begins with /' })
const fields = z.record(z.string(), z.string())

const backend = z.strictObject({
  id: name,
  url: text,
  weight: z.int().min(0).max(256).optional(),
  state: z.enum(['ready', 'drain', 'maint']).optional(),
  backup: z.boolean().optional(),
  maxInFlight: count.optional(),
  aliases: z
    .array(
      z
        .string()
        .regex(/^[\u0021\u0023-\u002B\u002D-\u003A\u003C-\u005B\u005D-\u007E]{1,128}$/)
        .meta({ description: '1 to 128 visible ASCII characters without ", comma, semicolon and backslash' }),
    )
    .optional(),
})

const foreignFormat = z.union([
  z.enum(['raw', 'haproxy', 'nginx', 'traefik', 'envoy', 'yarp', 'arr', 'f5']),
  z.strictObject({ haproxy: z.strictObject({ key: text }) }),
  // Caddy's own default is an empty one.
  z.strictObject({ caddy: z.strictObject({ secret: z.string() }) }),
  z.strictObject({ ingressNginx: z.strictObject({ name: text }) }),
])

const policy = z.union([
  z.strictObject({
    cookie: z.strictObject({
      name: text.optional(),
      path: path.optional(),
      domain: text.optional(),
      httpOnly: z.boolean().optional(),
      secure: z.union([z.boolean(), z.literal('auto')]).optional(),
      sameSite: z.enum(['lax', 'strict', 'none', 'omit']).optional(),
      partitioned: z.boolean().optional(),
      maxIdle: duration.optional(),
      maxLife: duration.optional(),
      persistent: z.boolean().optional(),
      strip: z.boolean().optional(),
      noCache: z.boolean().optional(),
      preserve: z.boolean().optional(),
      onlyMethods: z.array(text).optional(),
      opaque: z.boolean().optional(),
      accept: z.array(foreignFormat).optional(),
    }),
  }),
  z.strictObject({
    prefix: z.strictObject({
      cookie: text,
      noCache: z.boolean().optional(),
      opaque: z.boolean().optional(),
      accept: z.array(z.literal('haproxy')).optional(),
    }),
  }),
  z.strictObject({
    learn: z.strictObject({
      cookie: text.optional(),
      header: text.optional(),
      lookup: z.array(text).optional(),
      ttl: duration.optional(),
      maxEntries: z.int().min(1).optional(),
    }),
  }),
  z.strictObject({
    route: z.strictObject({
      header: text.optional(),
      query: text.optional(),
      cookie: text.optional(),
      'path-parameter': text.optional(),
    }),
  }),
])

const balance = z.union([
  z.enum(['round-robin', 'least-requests', 'random-two', 'random', 'first']),
  z.strictObject({
    hash: z.union([text, z.array(text).min(1)]),
    ipv4Prefix: z.int().min(1).max(32).optional(),
    ipv6Prefix: z.int().min(1).max(128).optional(),
    boundedLoad: z.number().min(0).optional(),
    seed: text.optional(),
  }),
])

const expectation = z.union([status, z.enum(['2xx', '3xx', '4xx', '5xx'])])

const discovery = z.union([
  z.strictObject({
    dns: text,
    type: z.enum(['A', 'AAAA', 'SRV']).optional(),
    refresh: duration.optional(),
    protocol: z.enum(['http', 'https']).optional(),
    servers: z.array(text).optional(),
  }),
  z.strictObject({
    kubernetes: z.strictObject({
      service: text,
      namespace: text.optional(),
      port: z.union([z.int().min(1).max(65_535), text]).optional(),
      protocol: z.enum(['http', 'https']).optional(),
      addressType: z.enum(['IPv4', 'IPv6']).optional(),
      drainDeadline: duration.optional(),
      kubeconfig: text.optional(),
      context: text.optional(),
      requestTimeout: duration.optional(),
      watchTimeout: duration.optional(),
    }),
  }),
])

const pool = z.strictObject({
  backends: z.array(backend).optional(),
  discovery: discovery.optional(),
  affinity: z.array(policy).optional(),
  balance: balance.optional(),
  onUnavailable: z.enum(['redispatch', 'reject']).optional(),
  removedGrace: duration.optional(),
  maxAttempts: z.int().min(1).max(100).optional(),
  retryOn: z.array(z.union([z.enum(['connect', 'reset', 'timeout']), z.int().min(400).max(599)])).optional(),
  retryBudget: z
    .strictObject({ ratio: z.number().min(0).max(1).optional(), minPerSecond: count.optional() })
    .optional(),
  health: z
    .strictObject({
      path: path.optional(),
      method: text.optional(),
      headers: fields.optional(),
      interval: duration.optional(),
      timeout: duration.optional(),
      fall: z.int().min(1).optional(),
      rise: z.int().min(1).optional(),
      expect: z.union([expectation, z.array(expectation).min(1)]).optional(),
      body: text.optional(),
      initial: z.enum(['up', 'down']).optional(),
    })
    .optional(),
  passive: z
    .strictObject({
      fall: z.int().min(1).optional(),
      retryAfter: duration.optional(),
      statuses: z.array(status).optional(),
    })
    .optional(),
  slowStart: duration.optional(),
  maxInFlight: count.optional(),
  whenFull: z.enum(['overflow', 'wait', 'reject']).optional(),
  maxQueue: z.int().min(1).optional(),
  queueTimeout: duration.optional(),
  waitForBackend: duration.optional(),
  returnFromBackup: z.boolean().optional(),
  timeouts: z
    .strictObject({
      connect: duration.optional(),
      response: duration.optional(),
      total: duration.optional(),
      idle: duration.optional(),
      tunnel: duration.optional(),
    })
    .optional(),
  host: z.enum(['preserve', 'backend']).optional(),
  tls: z
    .strictObject({ ca: text.optional(), servername: text.optional(), verify: z.boolean().optional() })
    .optional(),
  bodyLimit: size.optional(),
  requestHeaders: z.strictObject({ set: fields.optional(), remove: z.array(text).optional() }).optional(),
  responseHeaders: z.strictObject({ set: fields.optional(), remove: z.array(text).optional() }).optional(),
  ignore: z.array(z.strictObject({ method: text.optional(), path: path.optional() })).optional(),
})

const address = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):\d{1,5}$/)
  .meta({ description: 'an address and a port, as 127.0.0.1:8080' })

const hostName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$/)
  .meta({ description: 'the name of a host, without a port' })

const listen = z.union([
  address,
  z.strictObject({
    host: text.optional(),
    port: z.int().min(0).max(65_535),
    tls: z.strictObject({ cert: text, key: text }).optional(),
    http2: z.boolean().optional(),
  }),
])

export const configSchema = z
  .strictObject({
    listen: listen.optional(),
    adapter: z.enum(['fastify', 'express', 'koa']).optional(),
    trustProxy: z.array(text).optional(),
    secrets: z.array(text).min(1).optional(),
    preStop: duration.optional(),
    shutdownGrace: duration.optional(),
    workers: z
      .union([z.int().min(1).max(1024), z.literal('auto')])
      .meta({ description: 'a whole number from 1 to 1024, or auto' })
      .optional(),
    limits: z
      .strictObject({
        headers: size.optional(),
        headersTimeout: duration.optional(),
        requestTimeout: duration.optional(),
        keepAlive: duration.optional(),
        sendTimeout: duration.optional(),
        connections: count.optional(),
        connectionsPerAddress: count.optional(),
        unanswered: z.int().min(1).optional(),
      })
      .optional(),
    log: z
      .strictObject({
        access: z.boolean().optional(),
        sample: z.number().min(0).max(1).optional(),
        level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional(),
      })
      .optional(),
    routes: z
      .array(z.strictObject({ host: text.optional(), path: path.optional(), pool: name }))
      .min(1)
      .optional(),
    pools: z.record(name, pool),
    admin: z
      .strictObject({
        listen: address.optional(),
        token: text.optional(),
        hosts: z.array(hostName).optional(),
        allowBackends: z.array(text).optional(),
      })
      .optional(),
  })
  .meta({ title: 'limpet', description: 'an object with pools, at least' })

export type ConfigFile = z.infer<typeof configSchema>
export type PoolFile = ConfigFile['pools'][string]

/** The same for editors, which complete and check a file as it is written. */
export function jsonSchema(): object {
  return z.toJSONSchema(configSchema)
}
