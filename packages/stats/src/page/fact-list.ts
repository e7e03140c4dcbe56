import { html, type Html, type HtmlValue } from './html.ts'

/** A name and what is known under it. */
export type Fact = readonly [name: string, value: HtmlValue]

/** Facts as a list of descriptions. @param style the class of the list */
export function factList(style: string, facts: readonly Fact[]): Html {
  return html`<dl class="${style}">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}
