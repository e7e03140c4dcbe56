const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for XML and HTML, in content and in quoted attributes. Control characters, which XML cannot have, are `?`. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, character => ENTITIES[character] ?? '')
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '?')
}
