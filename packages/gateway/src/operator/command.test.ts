import { describe, expect, it } from 'vitest'
import { runOperator } from './command.ts'
import { foreignPort, readTerminal } from './foreign-port.fixture.ts'
import { OPERATOR_VERBS } from './verbs.ts'

it.each<[readonly string[], RegExp]>([
  [['drain'], /takes a backend as POOL\/BACKEND/],
  [['drain', 'web'], /takes a backend as POOL\/BACKEND/],
  [['drain', 'web/<script>'], /takes a backend as POOL\/BACKEND/],
  [['drain', 'web/w1', 'web/w2'], /takes one POOL\/BACKEND/],
  [['drain', 'web/w1', '--deadline', '1y'], /--deadline takes a duration of at most 24d/],
  [['drain', 'web/w1', '--deadline', '365d'], /--deadline takes a duration of at most 24d/],
  [['drain', 'web/w1', '--spread', '10'], /--spread takes a duration/],
  [['drain', 'web/w1', '--deadlin', '1s'], /--deadlin is not known; did you mean --deadline/],
  [['ready', 'web/w1', '--wait'], /are flags of limpet drain/],
  [['weight', 'web/w1'], /takes POOL\/BACKEND and a weight/],
  [['weight', 'web/w1', '257'], /a weight is a whole number from 0 to 256/],
  [['status', 'web/w1/x'], /takes nothing, a pool, or POOL\/BACKEND/],
  [['status', '--every', '1s'], /--every is a flag of limpet top/],
  [['top', '--every', '1ms'], /--every takes a duration/],
  [['status', '--admin', 'ftp://x'], /--admin takes http:\/\/host:port/],
  [['status', '--admin', 'http://x', '--config', 'y'], /both given/],
])('the command line %j is refused', async ([word, ...args], problem) => {
  const verb = OPERATOR_VERBS.find(one => one === word)
  if (verb === undefined) throw new Error('no verb')
  let out = ''
  let error = ''
  const terminal = {
    out: (text: string) => void (out += text),
    error: (text: string) => void (error += text),
  }
  expect([await runOperator(verb, args, terminal), out]).toEqual([1, ''])
  expect(error).toMatch(problem)
  expect(error).toMatch(new RegExp(`^limpet ${verb}: `))
})

describe('a port of another server', () => {
  const row = { id: 'w1', state: 'ready', weight: 1, healthy: true, inFlight: 0, tunnels: 0, requests: 0 }

  /** The output of a command to a port that has this response to each request. */
  async function said(verb: (typeof OPERATOR_VERBS)[number], args: readonly string[], body: unknown) {
    const { terminal, text } = readTerminal()
    const code = await runOperator(verb, [...args, '--admin', await foreignPort(body)], terminal)
    return { code, text: text() }
  }

  it.each([
    ['no pools', null],
    ['a pool without backends', { web: {} }],
    ['backends that are none', { web: { backends: [null] } }],
    ['a backend without counts', { web: { backends: [row] } }],
  ])('with %s is told from that of limpet', async (_, pools) => {
    const { code, text } = await said('status', [], { pools })
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(/^limpet status: http:\S+ is no admin port of limpet\n$/),
    ])
  })

  it.each(['\u001b[2J', '\u009b2J', '\r'])('sends no %j to the terminal', async control => {
    const backend = { ...row, id: `w1${control}`, state: `x${control}`, responses: { '5xx': 0 }, failures: 0 }
    const pools = { [`web${control}`]: { backends: [backend] } }
    expect((await said('status', [], { pools })).text).toContain('/w1 ')
    const told = [
      await said('status', [], { pools }),
      await said('status', ['api'], { pools }),
      await said('drain', ['web/w1', '--wait'], backend),
    ]
    for (const { text } of told) expect(text).not.toContain(control)
  })
})
