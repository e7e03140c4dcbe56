import type { PoolFile } from '../config/pool-file.ts'
import type { BackendFile, PolicyFile } from './draft.ts'

/** The characters that the value of a cookie may contain (RFC 6265 §4.1.1). */
const ALIAS = /^[\u0021\u0023-\u002B\u002D-\u003A\u003C-\u005B\u005D-\u007E]{1,128}$/

/**
 * Gives a backend the word that stood for it in cookies.
 * @returns why not: the word cannot be, or another backend has it
 */
export function addWord(file: PoolFile, backend: BackendFile, word: string): string | undefined {
  if (!ALIAS.test(word)) return 'the word cannot stand in a cookie'
  if (file.backends?.some(other => other !== backend && other.aliases?.includes(word)))
    return 'another server has the same word, and gets its sessions'
  // Where a word is the id of another server, the words become the ids: see settleWords.
  backend.aliases = [word]
  return undefined
}

/** After the last backend: a word that is an id needs no alias, and none may be the id of another backend. */
export function settleWords(file: PoolFile): void {
  const { backends = [] } = file
  const ids = new Map(backends.map(backend => [backend.id, backend]))
  const isCrossed = backends.some(backend =>
    backend.aliases?.some(word => ids.has(word) && ids.get(word) !== backend),
  )
  const words = new Set(backends.flatMap(({ aliases = [] }) => aliases))
  const taken = new Set([...ids.keys(), ...words])
  for (const backend of backends) {
    const [word] = backend.aliases ?? []
    if (isCrossed && word !== undefined && /^[\w-]{1,64}$/.test(word)) backend.id = word
    else if (isCrossed && words.has(backend.id)) backend.id = freeId(backend.id, taken)
    if (word === backend.id) delete backend.aliases
  }
}

/** A new id for a backend whose own name is the word of another. @param taken ids and words; the new one is added */
function freeId(id: string, taken: Set<string>): string {
  for (let count = 2; ; count += 1) {
    const free = `${id.slice(0, 58)}-${count}`
    if (taken.has(free)) continue
    taken.add(free)
    return free
  }
}

/** Adds a policy; false when another one has its cookie, for what one edits another cannot read. */
export function addPolicy(file: PoolFile, policy: PolicyFile): boolean {
  const name = cookieOf(policy)
  const known = file.affinity ?? []
  if (name !== undefined && known.some(other => cookieOf(other) === name)) return false
  file.affinity = [...known, policy]
  return true
}

function cookieOf(policy: PolicyFile): string | undefined {
  if ('cookie' in policy) return policy.cookie.name
  if ('prefix' in policy) return policy.prefix.cookie
  return 'learn' in policy ? policy.learn.cookie : undefined
}
