/** The entry of `words` that is probably meant by `word`: the nearest, with at most every third letter wrong. */
export function nearMiss(word: string, words: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 3))
  let nearest: string | undefined
  let least = most + 1
  for (const candidate of words) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

/**
 * Letters to add, drop or change, and neighbours to swap (optimal string alignment). Words come from a configuration or
 * a command line: they are few and short.
 */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let index = 0; index < a.length; index += 1) {
    const next = [index + 1]
    for (let at = 0; at < b.length; at += 1) {
      const changed = (row[at] ?? 0) + (a[index] === b[at] ? 0 : 1)
      const isSwapped = at > 0 && a[index] === b[at - 1] && a[index - 1] === b[at]
      const swapped = isSwapped ? (before[at - 1] ?? Infinity) + 1 : Infinity
      next.push(Math.min(changed, swapped, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1))
    }
    before = row
    row = next
  }
  return row.at(-1) ?? 0
}
