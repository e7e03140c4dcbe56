/**
 * A quick filter for field names, by first letter and length alone: false for nearly every name that
 * is not one of `names`, so few names need the comparison in lower case. Case-insensitive.
 */
export function nameTable(names: Iterable<string>): (name: string) => boolean {
  const table = new Uint8Array(128 * 64)
  for (const name of names) table[(name.charCodeAt(0) | 32) * 64 + name.length] = 1
  return name => {
    const first = name.charCodeAt(0) | 32
    return name.length > 63 || first > 127 || table[first * 64 + name.length] === 1
  }
}
