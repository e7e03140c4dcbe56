/** Markup whose values are escaped. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A value in markup. Text is escaped, lists are joined, `undefined` and `false` are left out. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[]

/** The tag of templates of markup. */
export function html(source: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = compact(source)
  let text = parts[0] ?? ''
  for (let index = 0; index < values.length; index += 1)
    text += textOf(values[index]) + (parts[index + 1] ?? '')
  return new Html(text)
}

const COMPACT = new WeakMap<TemplateStringsArray, readonly string[]>()

/** The formatter breaks lines of markup. A page of a hundred rows is a third smaller without them. */
function compact(source: TemplateStringsArray): readonly string[] {
  const known = COMPACT.get(source)
  if (known !== undefined) return known
  const parts = source.map(part => part.replaceAll(/\s*\n\s*(?=\/?>)/g, '').replaceAll(/\s*\n\s*/g, ' '))
  COMPACT.set(source, parts)
  return parts
}

function textOf(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escaped(value)
  if (value instanceof Html) return value.text
  return value.map(textOf).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => ENTITIES[character] ?? '')
}
