/**
 * A copy of a text from a header. V8 makes a slice of 13 characters or more a view, and a map that keeps the slice
 * keeps the whole header, which may have 16 KB.
 */
export function detached(text: string): string {
  // Header fields are bytes.
  return Buffer.from(text, 'latin1').toString('latin1')
}
