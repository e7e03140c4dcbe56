import { OptionError } from '@limpet/core'
import {
  boolean,
  duration,
  integer,
  kind,
  list,
  needed,
  number,
  type OptionKind,
  type OptionsOf,
  optionTable,
  parsed,
  record,
  table,
  text,
} from '@limpet/core/options'
import { size } from '../config/file-kinds.ts'
import type { Written } from '../config/written.ts'

/*
 * The options of a scenario file. `ScenarioReader` checks what depends on other parts of it: variables, patterns,
 * bodies.
 */

const PATH = text({ pattern: /^\//, takes: 'a path that begins with /' })
const ANY_TEXT = text({ pattern: /^/, takes: 'a text' })
const ANY_VALUE = kind<unknown>({ takes: 'a value', read: (_path, value) => value, schema: {} })

const SCALAR_TAKES = 'a text, a number, true, false or null'
type Scalar = string | number | boolean | null
const SCALAR = parsed<Scalar, Scalar>(SCALAR_TAKES, (path, value) => {
  if (value !== null && !['string', 'number', 'boolean'].includes(typeof value))
    throw new OptionError(path, value, SCALAR_TAKES)
  return value as Scalar
})

const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const
const STATUS_TAKES = 'a status from 100 to 599, one of 2xx, 3xx, 4xx, 5xx, or a list of these'
type Status = number | (typeof STATUS_CLASSES)[number]
const ONE_STATUS = parsed<Status, Status>(
  STATUS_TAKES,
  (path, value) => {
    const isClass = STATUS_CLASSES.some(one => one === value)
    if (!isClass && !(Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 599))
      throw new OptionError(path, value, STATUS_TAKES)
    return value as Status
  },
  { anyOf: [{ type: 'integer', minimum: 100, maximum: 599 }, { enum: STATUS_CLASSES }] },
)
const STATUSES = list(ONE_STATUS, { takes: STATUS_TAKES, min: 1 })
const STATUS = kind<Status | readonly Status[], unknown>({
  takes: STATUS_TAKES,
  read: (path, value, errors) =>
    value === undefined
      ? undefined
      : (Array.isArray(value) ? STATUSES : ONE_STATUS).read(path, value, errors),
  schema: {},
})

const CAPTURE_OPTIONS = optionTable({
  /** The name of a header field. */
  header: text(),
  /** The name of a cookie. */
  cookie: text(),
  /** The path in a JSON body, as `items[0].id`. */
  json: text(),
  /** A pattern of the body; its first group is the value. */
  body: text(),
})
const CAPTURE: OptionKind<OptionsOf<typeof CAPTURE_OPTIONS>, unknown, false> = {
  ...table(CAPTURE_OPTIONS),
  takes: 'one of { header: NAME }, { cookie: NAME }, { json: PATH }, { body: PATTERN }',
}

const EXPECTATION_OPTIONS = optionTable({
  /** The status of the response. @default '2xx' */
  status: STATUS,
  /** Patterns of header fields, by name. */
  header: record(ANY_TEXT),
  /** A pattern of the body. */
  body: text(),
  /** Values in a JSON body, by path. */
  json: record(SCALAR),
})

const UPLOAD_OPTIONS = optionTable({
  /** Its length in bytes. */
  size: needed(size()),
  /** The field of a form. @default absent: the body is the file */
  field: text(),
  /** The file's name in the form. */
  name: text(),
  /** Its media type. */
  type: text(),
  /** The time that the sending takes. @default 0 */
  over: duration(),
})

const STEP_OPTIONS = optionTable({
  get: PATH,
  head: PATH,
  post: PATH,
  put: PATH,
  patch: PATH,
  delete: PATH,
  websocket: PATH,
  headers: record(ANY_TEXT),
  json: ANY_VALUE,
  form: record(SCALAR),
  text: ANY_TEXT,
  upload: table(UPLOAD_OPTIONS),
  send: ANY_TEXT,
  keep: boolean(),
  timeout: duration(),
  expect: table(EXPECTATION_OPTIONS),
  capture: record(CAPTURE),
  writes: text(),
  reads: CAPTURE,
  counts: CAPTURE,
})
const STEP = table(STEP_OPTIONS)

const HOOK_OPTIONS = optionTable({ drain: text(), kill: text(), restart: text(), ready: text() })
const HOOKS = table(HOOK_OPTIONS)

/** A scenario file. KILL-TEST.md describes its options. */
export const SCENARIO_OPTIONS = optionTable({
  name: text(),
  target: text(),
  sessions: integer({ min: 1, max: 10_000 }),
  rate: number({ min: 0.1, max: 10_000 }),
  timeout: duration(),
  redirects: integer({ min: 0, max: 20 }),
  localAddresses: list(text(), { takes: 'a list of addresses, one at least', min: 1 }),
  backend: CAPTURE,
  open: list(STEP, { takes: 'a list of steps' }),
  repeat: needed(list(STEP, { takes: 'a list of steps, one at least', min: 1 })),
  hooks: HOOKS,
  backends: record(HOOKS),
})

export type ScenarioFile = Written<OptionsOf<typeof SCENARIO_OPTIONS>>
export type StepFile = ScenarioFile['repeat'][number]
export type CaptureFile = NonNullable<StepFile['reads']>
export type ExpectationFile = NonNullable<StepFile['expect']>
