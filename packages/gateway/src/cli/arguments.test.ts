import { expect, it } from 'vitest'
import { parseArguments } from './arguments.ts'

it('reads the flags of a gateway, and of the verbs that share them', () => {
  expect(parseArguments(['-c', 'a.yaml', '--adapter', 'koa', '--watch', '--pretty'])).toMatchObject({
    word: undefined,
    config: 'a.yaml',
    adapter: 'koa',
    watch: true,
    pretty: true,
  })
  expect(parseArguments(['check', 'b.yaml', '--without-secrets'])).toMatchObject({
    word: 'check',
    config: 'b.yaml',
    withoutSecrets: true,
  })
  expect(parseArguments(['proxy', '--from', '80', '--to', 'a:1', '--to', 'b:1'])).toMatchObject({
    word: 'proxy',
    from: '80',
    to: ['a:1', 'b:1'],
  })
})

it.each([
  [['--adapter', 'kao'], '--adapter got "kao"; did you mean koa?'],
  [['chek'], 'there is no command chek; did you mean check?'],
  [['proxy', 'a'], 'there is no command proxy a'],
  [['check', 'a', '-c', 'b'], 'limpet check takes one file'],
  [['-c', 'a', '--to', 'b:1'], '--from and --to are flags of limpet proxy'],
  [['-c', 'a', '--without-secrets'], '--without-secrets is a flag of limpet check'],
  [['check', 'a', '--watch'], '--watch is a flag of limpet without a word'],
  [['proxy', '-c', 'a'], 'limpet proxy takes no --config'],
])('refuses %j', (args, message) => {
  expect(() => parseArguments(args)).toThrow(message)
})
