import { expect, it } from 'vitest'
import { readTerminal } from './foreign-port.fixture.ts'
import { Screen } from './screen.ts'

it('writes lines where there is no terminal, progress now and then', () => {
  const { terminal, text } = readTerminal()
  const screen = new Screen(terminal, false)
  screen.progress('1 left')
  screen.progress('0 left')
  screen.page('a\nb\n')
  screen.result('done\u001b[2J')
  screen.error('failed')
  expect(text()).toBe('1 left\na\nb\ndone [2J\nlimpet: failed\n')
})
