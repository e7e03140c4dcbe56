/** Header lines as they stood on the wire: name and value, in order. */
export type HeaderLines = readonly (readonly [name: string, value: string])[]

/** Pairs up what Node gives as one flat list. */
export function headerLines(raw: readonly string[]): HeaderLines {
  const lines: [string, string][] = []
  for (let index = 0; index + 1 < raw.length; index += 2) lines.push([raw[index] ?? '', raw[index + 1] ?? ''])
  return lines
}

/** The values of every line called `name`, in order. */
export function valuesOf(lines: HeaderLines, name: string): readonly string[] {
  return lines.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

/** The value of a field whose lines may be joined, as RFC 9110 §5.2 and, for Cookie, RFC 9113 §8.2.3 allow. */
export function joinedValue(lines: HeaderLines, name: string): string | undefined {
  const values = valuesOf(lines, name)
  return values.length === 0 ? undefined : values.join(name.toLowerCase() === 'cookie' ? '; ' : ', ')
}
