import { createHash } from 'node:crypto'
import { html, Html } from './html.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

/** A response of the page, for any server. */
export interface StatsResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Nothing but this page's own style and script, and no text that becomes markup. */
const POLICY = [
  "default-src 'none'",
  `style-src '${sourceOf(STYLE)}'`,
  `script-src '${sourceOf(SCRIPT)}'`,
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

// The policy holds for the text between the tags, byte for byte.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`)
const SCRIPT_ELEMENT = new Html(`<script>${SCRIPT}</script>`)

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // With no-referrer the Origin of its own forms would be null.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** A whole page around `body`. */
export function page(
  title: string,
  body: Html,
  {
    statusCode = 200,
    hasScript = false,
  }: { readonly statusCode?: number; readonly hasScript?: boolean } = {},
): StatsResponse {
  const { text } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        ${body}${hasScript && SCRIPT_ELEMENT}
      </body>
    </html> `
  return { statusCode, headers: HEADERS, body: text }
}

/** The part of a page that its script asks for. */
export function livePart(live: Html): StatsResponse {
  return {
    statusCode: 200,
    headers: HEADERS,
    body: html`<!doctype html>
      <html lang="en">
        <title>limpet</title>
        ${live}
      </html>`.text,
  }
}

/** @param query relative, so that it holds wherever the page is mounted */
export function redirect(query: string): StatsResponse {
  return { statusCode: 303, headers: { ...HEADERS, location: query }, body: '' }
}

function sourceOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
