import type { Report } from './report.ts'
import type { Statement } from './statement.ts'

/** The requests for which a condition holds. */
export interface Condition {
  readonly hosts: readonly string[]
  readonly paths: readonly string[]
}

const MAX_ALTERNATIVES = 100

/** Reads ACLs of hosts and of beginnings of paths; with any other a rule cannot be a route. */
export class AclReader {
  readonly #acls: ReadonlyMap<string, readonly Statement[]>
  readonly #report: Report

  constructor(block: readonly Statement[], report: Report) {
    this.#acls = Map.groupBy(
      block.filter(({ name }) => name === 'acl'),
      ({ args: [name = ''] }) => name,
    )
    this.#report = report
  }

  /**
   * The alternatives of `if a b || c`, as hosts and paths.
   * @param words behind `if`
   * @returns undefined when one of them is no host and no path
   */
  read(words: readonly string[], rule: Statement): readonly Condition[] | undefined {
    const alternatives: string[][] = [[]]
    for (const word of words)
      if (word === '||' || word.toLowerCase() === 'or') alternatives.push([])
      else alternatives.at(-1)?.push(word)
    if (alternatives.length > MAX_ALTERNATIVES) return undefined
    const found = alternatives.map(words_ => this.#all(words_, rule))
    return found.includes(undefined) ? undefined : found.filter(one => one !== undefined)
  }

  /** All of the conditions hold. */
  #all(words: readonly string[], rule: Statement): Condition | undefined {
    let hosts: readonly string[] = []
    let paths: readonly string[] = []
    for (const test of testsOf(words)) {
      const found = typeof test === 'string' ? this.#named(test) : conditionOf(test)
      if (found === undefined) return undefined
      // Two sets of hosts at once would have to be intersected.
      if (found.hosts.length > 0 && hosts.length > 0) return undefined
      if (found.paths.length > 0 && paths.length > 0) return undefined
      if (found.hosts.length > 0) hosts = found.hosts
      if (found.paths.length > 0) paths = found.paths
      if (found.isLoose)
        this.#report.changed(rule, 'a route takes whole segments of a path: /api and what is below /api/')
    }
    return hosts.length === 0 && paths.length === 0 ? undefined : { hosts, paths }
  }

  /** ACLs of one name are alternatives. */
  #named(name: string): LooseCondition | undefined {
    const acls = this.#acls.get(name) ?? []
    const found = acls.map(({ args: [, ...test] }) => conditionOf(test))
    const known = found.filter(one => one !== undefined)
    if (known.length === 0 || known.length < found.length) return undefined
    const isMixed = known.some(({ hosts }) => hosts.length > 0) && known.some(({ paths }) => paths.length > 0)
    if (isMixed) return undefined
    this.#report.take(...acls)
    return {
      hosts: known.flatMap(({ hosts }) => hosts),
      paths: known.flatMap(({ paths }) => paths),
      isLoose: known.some(({ isLoose }) => isLoose),
    }
  }
}

interface LooseCondition extends Condition {
  readonly isLoose: boolean
}

/** `a b { path_beg /x }` as names and anonymous tests. */
function testsOf(words: readonly string[]): readonly (string | readonly string[])[] {
  const tests: (string | readonly string[])[] = []
  let inner: string[] | undefined
  for (const word of words) {
    if (word === '{') inner = []
    else if (word === '}' && inner !== undefined) {
      tests.push(inner)
      inner = undefined
    } else if (inner === undefined) tests.push(word)
    else inner.push(word)
  }
  return inner === undefined ? tests : [...tests, inner]
}

function conditionOf([fetch = '', ...words]: readonly string[]): LooseCondition | undefined {
  const values = words.filter(word => word !== '-i' && word !== '--')
  const flags = values.filter(word => word.startsWith('-'))
  if (values.length === 0 || flags.length > (flags[0] === '-m' ? 1 : 0)) return undefined
  const match = values[0] === '-m' ? values[1] : undefined
  const patterns = values[0] === '-m' ? values.slice(2) : values
  const kind = fetch.replace(/^base_|^req\./, '')
  const isPath = /^path_(?:beg|dir)$/.test(kind) || kind === 'path' || (kind === 'path' && match === 'beg')
  if (isPath && (match === undefined || match === 'beg' || match === 'str')) {
    const paths = patterns.map(path => (kind === 'path_dir' && !path.startsWith('/') ? `/${path}` : path))
    if (!paths.every(path => path.startsWith('/'))) return undefined
    return { hosts: [], paths, isLoose: kind !== 'path_dir' && !paths.every(path => path.endsWith('/')) }
  }
  if (/^hdr(?:_str)?\(host(?:,1)?\)$/i.test(kind) && (match === undefined || match === 'str')) {
    const isPlain = patterns.every(host => /^[\w.-]+(?::\d+)?$/.test(host))
    return isPlain
      ? { hosts: patterns.map(host => host.replace(/:\d+$/, '')), paths: [], isLoose: false }
      : undefined
  }
  return undefined
}
