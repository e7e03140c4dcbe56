/**
 * A first look at a field name, told by its first letter and its length alone: false for nearly everything that
 * is not one of `names`, so that the closer look, in lower case, is for the few. Letter case does not matter.
 */
export function nameTable(names: Iterable<string>): (name: string) => boolean {
  const table = new Uint8Array(128 * 64)
  for (const name of names) table[(name.charCodeAt(0) | 32) * 64 + name.length] = 1
  return name => {
    const first = name.charCodeAt(0) | 32
    return name.length > 63 || first > 127 || table[first * 64 + name.length] === 1
  }
}
