/** Shown of a value, and only of one that is three times as long. */
const SHOWN = 8

/**
 * The beginning of a session's value, and its length: enough to recognise a value, too little to use it.
 * @returns such as `v1.3fK9a... (78 characters)`; of a short value only the length
 */
export function masked(value: string): string {
  const shown = value.length >= 3 * SHOWN ? value.slice(0, SHOWN) : ''
  return `${shown}... (${value.length} characters)`
}
