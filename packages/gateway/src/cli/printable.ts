/**
 * A text of another server or file for a terminal, which obeys control characters and changes of direction: a blank
 * stands in the place of each, except of line feeds.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]|[\u2028-\u202E\u2066-\u2069]/gu, ' ')
}
