import { expect, it } from 'vitest'
import { isOpen, tokensOf } from './caddy-tokens.ts'

/** The words of a text, each with its line. */
function wordsOf(text: string): readonly string[] {
  return tokensOf(text).map(token => `${token.line} ${token.text}`)
}

it.each([
  ['a b\nc', ['1 a', '1 b', '2 c']],
  ['a # b\n#c\nd', ['1 a', '3 d']],
  ['a#b', ['1 a#b']],
  ['a \\\n b\nc', ['1 a', '1 b', '3 c']],
  ['"a b" `c "d"`', ['1 a b', '1 c "d"']],
  ['`a\nb` c\nd', ['1 a\nb', '1 c', '3 d']],
  ['a <<E\nx\n E\nb', ['1 a', '1 x\n', '4 b']],
  ['a\\ b', ['1 a\\ b']],
  ['<<', ['1 <<']],
])('has the words of %j', (text, words) => {
  expect(wordsOf(text)).toEqual(words)
})

it('opens a block by a brace alone, and not within quotes', () => {
  expect(tokensOf('{ "{" {x').map(token => isOpen(token))).toEqual([true, false, false])
})
