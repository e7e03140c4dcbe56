import { expect, it } from 'vitest'
import { isTaken, paramsOf } from './haproxy-params.ts'

it('takes the word behind a parameter that has a value', () => {
  expect([...paramsOf(['check', 'weight', '5', 'cookie', 's1', 'backup', 'inter'])]).toEqual([
    ['check', ''],
    ['weight', '5'],
    ['cookie', 's1'],
    ['backup', ''],
    ['inter', ''],
  ])
  expect([...paramsOf(['weight', '1', 'weight', '2'])]).toEqual([['weight', '2']])
})

it('knows the parameters that limpet has, or has no need of', () => {
  expect(['weight', 'id', 'send-proxy', 'agent-check'].map(isTaken)).toEqual([true, true, false, false])
})
