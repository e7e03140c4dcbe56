/**
 * How each name was spelled when it came last. Nearly all clients spell a name in one way, and to compare two texts is
 * much faster than to put one of them into lower case.
 */
const spellings = new Map<string, string>()
const MAX_SPELLINGS = 1000
const MAX_LENGTH = 64

/** Whether `name`, in lower case, is `lower`. */
export function isSpelling(name: string, lower: string): boolean {
  if (spellings.get(lower) === name) return true
  if (name.length !== lower.length || name.toLowerCase() !== lower) return false
  if (name.length <= MAX_LENGTH) {
    // Clients can send any number of names.
    if (spellings.size >= MAX_SPELLINGS) spellings.clear()
    spellings.set(lower, name)
  }
  return true
}
