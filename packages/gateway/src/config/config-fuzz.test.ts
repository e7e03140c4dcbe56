import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ConfigError } from './config.ts'
import { parseConfig } from './config-file.ts'

/** The part of a JSON Schema that describes the keys below it. */
interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly $ref?: string
}

const SCHEMA = JSON.parse(readFileSync(new URL('../../schema.json', import.meta.url), 'utf8')) as Node & {
  readonly $defs: Readonly<Record<string, Node>>
}

type Path = readonly (string | number)[]

/** All paths that a file can have; `web` stands for any name, 0 for any place in a list. */
function pathsOf(node: Node, path: Path = []): readonly Path[] {
  const { properties = {}, additionalProperties, items, anyOf = [], $ref = '' } = node
  const referred = SCHEMA.$defs[$ref.replace('#/$defs/', '')]
  return [
    path,
    ...Object.entries(properties).flatMap(([key, inner]) => pathsOf(inner, [...path, key])),
    ...(typeof additionalProperties === 'object' ? pathsOf(additionalProperties, [...path, 'web']) : []),
    ...(items === undefined ? [] : pathsOf(items, [...path, 0])),
    ...anyOf.flatMap(inner => pathsOf(inner, path)),
    ...(referred === undefined ? [] : pathsOf(referred, path)),
  ]
}

const PATHS = [...new Map(pathsOf(SCHEMA).map(path => [path.join(), path])).values()]

const PLAUSIBLE: readonly unknown[] = [
  '0s',
  '25d',
  '999999999999d',
  '0.000001ms',
  '1KiB',
  '999999999999GiB',
  'auto',
  'ip',
  'path',
  'header:X',
  'cookie:a',
  '/',
  '/%',
  '//',
  'unix:/a%zz',
  'unix:/%00',
  'http://[::1]:1',
  'http://a:0',
  '127.0.0.1:8080',
  '[::]:0',
  ':1',
  'file:',
  'env:',
  'file:\0',
  'env:\0',
  'file:.',
  '__proto__',
  'GET',
  'round-robin',
  'haproxy',
  '2xx',
  '10.0.0.0/8',
  '::/0',
  '\u0000',
  '\ud800',
  'x'.repeat(5000),
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  1e308,
  -0,
  true,
  false,
  null,
  [],
  {},
  [[]],
  '',
]

/** Values that are often good somewhere, so that more than the first check is reached. */
const plausible = fc.oneof(fc.constantFrom(...PLAUSIBLE), fc.string({ unit: 'binary' }), fc.jsonValue())

/** A file of good shape with the value at the path. */
function fileWith(changes: readonly (readonly [Path, unknown])[]): unknown {
  let file: unknown = {
    secrets: ['a-secret-of-the-tests-0123456789abcdef'],
    pools: { web: { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }], affinity: [{ cookie: {} }] } },
  }
  for (const [path, value] of changes) file = put(file, path, value)
  return file
}

function put(holder: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  if (typeof key === 'number')
    return Array.isArray(holder)
      ? holder.toSpliced(0, 1, put(holder[0], rest, value))
      : [put(undefined, rest, value)]
  const object = typeof holder === 'object' && holder !== null && !Array.isArray(holder) ? holder : {}
  return { ...object, [key]: put(Reflect.get(object, key), rest, value) }
}

/** The problems of a text; anything but a list of them is a failure of the test. */
function problemsOf(text: string): readonly string[] {
  try {
    parseConfig({ file: '/nowhere/limpet.yaml', text, adapter: undefined, kept: undefined })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n')
  }
}

function checks(text: string): void {
  const unforeseen = problemsOf(text).filter(
    problem => problem.includes('cannot be checked') || problem.length > 2_000,
  )
  expect({ text, unforeseen }).toEqual({ text, unforeseen: [] })
}

it('any value at any place of a file is taken, or is a problem that is listed', () => {
  expect(PATHS.length).toBeGreaterThan(120)
  const change = fc.tuple(fc.constantFrom(...PATHS), plausible)
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes =>
      checks(JSON.stringify(fileWith(changes))),
    ),
    { numRuns: 1_000 },
  )
})

it('each place is tried with each of the values that come to mind', () => {
  for (const path of PATHS)
    for (const value of [
      '25d',
      '999999999999d',
      '999999999999GiB',
      '',
      'x',
      0,
      -1,
      1e308,
      null,
      [],
      {},
      true,
    ])
      checks(JSON.stringify(fileWith([[path, value]])))
})

const SECRET = 'S3cr3t/Q0Wx9ZkM7+vB2nHt5-LpR8cJ4dGy6'

/** Whether eight characters of the secret, one behind the other, stand in it. */
function tells(problem: string): boolean {
  return Array.from({ length: SECRET.length - 7 }, (_, at) => SECRET.slice(at, at + 8)).some(part =>
    problem.includes(part),
  )
}

it.each<[string, (secret: string) => unknown]>([
  ['a text', secret => secret],
  [
    'a text of several lines',
    secret => `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
  ],
  ['a list', secret => [secret]],
  ['a key', secret => ({ [secret]: 1 })],
  ['the value of an unknown key', secret => ({ secret })],
  ['a reference to a variable', secret => `env:${secret}`],
  ['a reference to a file', secret => `file:${secret}`],
  ['a file in a folder', secret => `./${secret}`],
  ['a url', secret => `http://user:${secret}@127.0.0.1/`],
])('a secret that stands in the wrong place as %s is told by no problem', (_what, as) => {
  for (const path of PATHS) {
    const text = JSON.stringify(fileWith([[path, as(SECRET)]]))
    const told = problemsOf(text).filter(tells)
    expect({ path, told }).toEqual({ path, told: [] })
  }
})

it('a number that is a secret is shown by no problem', () => {
  for (const path of PATHS) {
    const problems = problemsOf(JSON.stringify(fileWith([[path, 8_462_917_463_829_174]])))
    expect(problems.filter(problem => problem.includes('8462'))).toEqual([])
  }
})

it.each([
  `secrets: ['${SECRET}]`,
  `secrets: [*${SECRET}]`,
  `secrets: !${SECRET} a`,
  `secrets: "\\${SECRET}"`,
  `secrets: ["a" ${SECRET}]`,
  `secrets: | ${SECRET}`,
  `%${SECRET} a\n---\na`,
  `secrets: \`${SECRET}`,
  `secrets: @${SECRET}`,
  `secrets: &${SECRET}\n- *${SECRET}x`,
  `secrets: a\n ${SECRET}: b`,
  `${SECRET}\nsecrets: a`,
  `? ${SECRET}\n${SECRET}: b`,
  `- ${SECRET}\nb: c`,
  `? [${SECRET}]\n: b`,
  `secrets: [a]]${SECRET}`,
  `--- ${SECRET}\n--- ${SECRET}`,
  SECRET,
])('a text that is no configuration is not quoted (%#)', text => {
  const problems = problemsOf(text)
  expect(problems).not.toEqual([])
  expect(problems.filter(tells)).toEqual([])
})

it.each([
  ['aliases that refer to themselves', '&a [*a]'],
  ['a pool that holds itself', 'pools: &a { web: *a }'],
  ['an alias of nothing', 'pools: *a'],
  ['tags', 'pools: !!binary aGVsbG8='],
  ['another version', '%YAML 1.1\n---\npools: !!set { web }\nlisten: 2001-12-14\nadmin: { << : 3 }'],
  ['keys that are lists', '? [a]\n: b'],
  ['keys of the prototype', '{ "__proto__": { "pools": {} }, "constructor": 1, "toString": {} }'],
  ['the prototype for a pool', '{ "pools": { "__proto__": { "backends": [] }, "constructor": {} } }'],
  ['numbers that are none', 'pools: .nan\nworkers: .inf\npreStop: -.inf'],
  ['two documents', 'pools: {}\n---\npools: {}'],
  ['a byte order mark', '\ufeffpools: {}'],
])('a text with %s has problems that are listed', (_what, text) => {
  expect(problemsOf(text)).not.toEqual([])
  checks(text)
})

it('a text that is nested deeper than a stack is a problem', () => {
  for (const text of ['['.repeat(100_000), `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`])
    expect(problemsOf(text)).not.toEqual([])
})

it('any text is taken, or has problems that are listed', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('pools:web{}[]&*!|>\'"%-?, \n\t#@`a1')) }),
      checks,
    ),
    { numRuns: 1_000 },
  )
})
