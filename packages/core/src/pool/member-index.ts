import { OptionError } from '../options/option.ts'
import { type ParsedBackend, UNIQUE_ALIAS } from './backend.ts'
import type { Member } from './member.ts'

/** The members of a pool, in the order of configuration, by id and by alias. */
export class MemberIndex {
  #byId: ReadonlyMap<string, Member> = new Map()
  #list: readonly Member[] = []
  /** Undefined: to be made anew. */
  #byAlias: ReadonlyMap<string, Member> | undefined

  /** A new list whenever membership changes. */
  get list(): readonly Member[] {
    return this.#list
  }

  get byId(): ReadonlyMap<string, Member> {
    return this.#byId
  }

  set(members: ReadonlyMap<string, Member>): void {
    this.#byId = members
    this.#list = [...members.values()]
    this.#byAlias = undefined
  }

  find(id: string): Member | undefined {
    return this.#byId.get(id)
  }

  /** @throws OptionError for an unknown id */
  get(id: string): Member {
    const member = this.#byId.get(id)
    if (member === undefined) throw new OptionError('id', id, 'the id of a backend of the pool')
    return member
  }

  /** By its id, or one of its aliases. */
  named(word: string): Member | undefined {
    return this.#byId.get(word) ?? this.#aliases.get(word)
  }

  /** @throws OptionError for a new backend with an id or an alias that is taken */
  check({ id, aliases }: ParsedBackend): void {
    if (this.#byId.has(id))
      throw new OptionError('backend.id', id, 'an id that no other backend of the pool has')
    if (this.#aliases.has(id)) throw new OptionError('backend.id', id, 'an id that is no alias in the pool')
    const taken = aliases.findIndex(
      (alias, index) => this.named(alias) !== undefined || alias === id || aliases.indexOf(alias) < index,
    )
    if (taken >= 0) throw new OptionError(`backend.aliases[${taken}]`, aliases[taken], UNIQUE_ALIAS)
  }

  get #aliases(): ReadonlyMap<string, Member> {
    this.#byAlias ??= new Map(
      this.#list.flatMap(member => member.aliases.map(alias => [alias, member] as const)),
    )
    return this.#byAlias
  }
}
