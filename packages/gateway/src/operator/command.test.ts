import { expect, it } from 'vitest'
import { runOperator } from './command.ts'
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
