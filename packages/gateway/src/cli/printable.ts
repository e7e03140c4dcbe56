/**
 * A text of another server for a terminal, which obeys control characters: a blank stands in the place of each, except of
 * line feeds.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]|[\u2028\u2029]/gu, ' ')
}
