import { expect, it } from 'vitest'
import { escaped } from './escape.ts'

it('makes text fit for XML, in content and in attributes', () => {
  expect(escaped(`<a b="c">'&amp;`)).toBe('&lt;a b=&quot;c&quot;&gt;&#39;&amp;amp;')
  expect(escaped('tab\there\n\u0000\u001b\uFFFE\uD800 \u{1f600}')).toBe('tab\there\n???? \u{1f600}')
})
