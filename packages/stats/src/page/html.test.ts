import { expect, it } from 'vitest'
import { html } from './html.ts'

it('escapes text, and markup only once', () => {
  const evil = `<b a="1">&'`
  expect(html`<p title="${evil}">${html`<i>${evil}</i>`}</p>`.text).toBe(
    '<p title="&lt;b a=&quot;1&quot;&gt;&amp;&#39;"><i>&lt;b a=&quot;1&quot;&gt;&amp;&#39;</i></p>',
  )
})

it('joins lists, writes numbers, and leaves out false and undefined', () => {
  expect(html`${['a', 1, [false, html`<br />`]]}${undefined}${0}`.text).toBe('a1<br />0')
})

it('has no breaks of lines that only the source needs', () => {
  expect(
    html`<dl>
      <dt>a</dt>
    </dl>`.text,
  ).toBe('<dl> <dt>a</dt> </dl>')
})
