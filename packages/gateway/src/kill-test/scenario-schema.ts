import { z } from 'zod'
import { DURATION } from '../config/schema.ts'

/*
 * The shape of a scenario file. `ScenarioReader` checks what a shape cannot say: variables, patterns, addresses.
 */

const text = z.string().min(1)
const path = z.string().regex(/^\//).meta({ description: 'a path that begins with /' })
const duration = z
  .union([z.literal(0), z.string().regex(/^\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d)$/)])
  .meta({ description: DURATION })
const size = z
  .union([z.int().min(0), z.string().regex(/^\d{1,9}(?:B|KiB|MiB)$/)])
  .meta({ description: 'a number of bytes, as 16KiB or 1MiB' })
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const status = z.union([z.int().min(100).max(599), z.enum(['2xx', '3xx', '4xx', '5xx'])])

const capture = z
  .strictObject({
    header: text.optional(),
    cookie: text.optional(),
    json: text.optional(),
    body: text.optional(),
  })
  .meta({ description: 'one of { header: NAME }, { cookie: NAME }, { json: PATH }, { body: PATTERN }' })

const expectation = z.strictObject({
  status: z.union([status, z.array(status).min(1)]).optional(),
  header: z.record(text, z.string()).optional(),
  body: text.optional(),
  json: z.record(text, scalar).optional(),
})

const step = z.strictObject({
  get: path.optional(),
  head: path.optional(),
  post: path.optional(),
  put: path.optional(),
  patch: path.optional(),
  delete: path.optional(),
  websocket: path.optional(),
  headers: z.record(text, z.string()).optional(),
  json: z.unknown().optional(),
  form: z.record(text, scalar).optional(),
  text: z.string().optional(),
  upload: z
    .strictObject({
      size,
      field: text.optional(),
      name: text.optional(),
      type: text.optional(),
      over: duration.optional(),
    })
    .optional(),
  send: z.string().optional(),
  keep: z.boolean().optional(),
  timeout: duration.optional(),
  expect: expectation.optional(),
  capture: z.record(z.string(), capture).optional(),
  writes: text.optional(),
  reads: capture.optional(),
  counts: capture.optional(),
})

const hooks = z.strictObject({
  drain: text.optional(),
  kill: text.optional(),
  restart: text.optional(),
  ready: text.optional(),
})

export const scenarioSchema = z
  .strictObject({
    name: text.optional(),
    target: text.optional(),
    sessions: z.int().min(1).max(10_000).optional(),
    rate: z.number().min(0.1).max(10_000).optional(),
    timeout: duration.optional(),
    redirects: z.int().min(0).max(20).optional(),
    localAddresses: z.array(text).min(1).optional(),
    backend: capture.optional(),
    open: z.array(step).optional(),
    repeat: z.array(step).min(1),
    hooks: hooks.optional(),
    backends: z.record(text, hooks).optional(),
  })
  .meta({ description: 'an object with repeat, at least' })

export type ScenarioFile = z.infer<typeof scenarioSchema>
export type StepFile = ScenarioFile['repeat'][number]
export type CaptureFile = z.infer<typeof capture>
export type ExpectationFile = z.infer<typeof expectation>
