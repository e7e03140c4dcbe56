import { expect, it } from 'vitest'
import { foreignPort, readTerminal } from '../operator/foreign-port.fixture.ts'
import { runExplain } from './command.ts'

it.each<[readonly string[], RegExp]>([
  [['--cookee', 'a'], /--cookee is not known; did you mean --cookie/],
  [['word'], /a word is not known/],
  [['--header', 'nonsense'], /--header takes a header as/],
  [['--request', '/no/such/file'], /--request: ENOENT/],
  [['--admin', 'http://x', '--config', 'y'], /both given/],
])('the command line %j is refused', async (args, problem) => {
  let error = ''
  const terminal = {
    out: () => {
      throw new Error('explains')
    },
    error: (text: string) => void (error += text),
  }
  expect(await runExplain(args, terminal)).toBe(1)
  expect(error).toMatch(problem)
})

it.each([
  [{ policies: [null], backends: [] }],
  [{ policies: [{ policy: 'cookie', keys: [null] }], backends: [] }],
  [{ policies: [], backends: [null] }],
])('is told that a port with the explanation %j is no admin port', async body => {
  const { terminal, text } = readTerminal()
  const url = await foreignPort(body)
  const code = await runExplain(['--admin', url], terminal)
  expect([code, text()]).toEqual([1, `limpet explain: ${url} is no admin port of limpet\n`])
})
