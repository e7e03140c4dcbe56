const MAX_NAMES = 5

/** Reports each skipped entry once: again only when it has changed, or after it was gone. */
export class SkippedReport {
  #told: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  #now = new Map<string, Set<string>>()

  /** @param name of the entry that is skipped for that reason; none: there is only one */
  add(reason: string, name = ''): void {
    const names = this.#now.get(reason) ?? new Set()
    this.#now.set(reason, names.add(name))
  }

  /** Entries that were added since the last call and are new. */
  news(): readonly string[] {
    const news = [...this.#now].flatMap(([reason, names]) => {
      const fresh = [...names].filter(name => this.#told.get(reason)?.has(name) !== true)
      return fresh.length === 0 ? [] : [`${reason}${listOf(fresh)}`]
    })
    this.#told = this.#now
    this.#now = new Map()
    return news
  }
}

function listOf(names: readonly string[]): string {
  const known = names.filter(name => name !== '').map(name => name.slice(0, 80))
  if (known.length === 0) return ''
  const more = known.length > MAX_NAMES ? ` and ${known.length - MAX_NAMES} more` : ''
  return ` (${known.slice(0, MAX_NAMES).join(', ')}${more})`
}
