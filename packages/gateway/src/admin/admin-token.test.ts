import { expect, it } from 'vitest'
import { tokenProblem } from './admin-token.ts'

it.each(['MSbJ8kOtWqyzx2Fn', 'b1946ac92492d234', '9f2c!#$%&*+-.^_|~', 'correct-horse-battery-staple'])(
  'takes a token such as %s',
  token => expect(tokenProblem(token)).toBeUndefined(),
)

it.each([
  ['nothing', '', /0 characters; it takes at least 16/],
  ['fifteen characters', '0123456789abcde', /15 characters; it takes at least 16/],
  ['a blank', '0123456789 abcdef', /blanks/],
  ['a tab', '0123456789\tabcdef', /blanks/],
  ['a line break', '0123456789abcdef\n', /blanks/],
  ['a no-break space', '0123456789\u{a0}abcdef', /blanks/],
  ['a letter beyond ASCII', '0123456789abcdé0', /characters that no header field can carry/],
  ['one character alone', 'a'.repeat(40), /repeats/],
  ['a word twice', 'passwordpassword', /repeats/],
  ['a placeholder', 'changeme-changeme-1', /placeholder/],
  ['a variable that was not replaced', '${LIMPET_ADMIN_TOKEN}', /not replaced/],
  ['four characters', 'abcdabcdabcddcbaabcd', /repeats/],
])('refuses a token of %s, and does not tell it', (_what, token, problem) => {
  const text = tokenProblem(token) ?? ''
  expect(text).toMatch(problem)
  expect(text).toContain('node -p')
  expect(token !== '' && text.includes(token)).toBe(false)
})
