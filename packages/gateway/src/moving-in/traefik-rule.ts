/** A host and the beginning of a path; absent: any. */
export interface Match {
  readonly host?: string
  readonly path?: string
}

const MAX_MATCHES = 200
const MAX_DEPTH = 20

/**
 * Reads a rule of Host, PathPrefix and Path, with `&&`, `||` and parentheses.
 * @returns the alternatives; undefined when the rule has any other matcher, or more than 200 alternatives
 */
export function readRule(rule: string): readonly Match[] | undefined {
  const tokens = tokensOf(rule)
  if (tokens === undefined) return undefined
  const reader = new RuleReader(tokens)
  const found = reader.any(0)
  return reader.isAtEnd ? found : undefined
}

type Token = '(' | ')' | '&&' | '||' | readonly Match[]

function tokensOf(rule: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  let rest = rule.trim()
  while (rest !== '') {
    const [word = '', name, args = ''] =
      /^(?:\(|\)|&&|\|\||(\w+)\(((?:\s*(?:`[^`]*`|"[^"\\]*")\s*,?)+)\))/.exec(rest) ?? []
    if (word === '' || tokens.length > MAX_MATCHES) return undefined
    const token = name === undefined ? (word as Token) : matcher(name, args)
    if (token === undefined) return undefined
    tokens.push(token)
    rest = rest.slice(word.length).trimStart()
  }
  return tokens
}

function matcher(name: string, args: string): readonly Match[] | undefined {
  const values = [...args.matchAll(/`([^`]*)`|"([^"\\]*)"/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  )
  if (name === 'Host')
    return values.every(host => /^[\w.-]+$/.test(host)) ? values.map(host => ({ host })) : undefined
  if (name !== 'PathPrefix' && name !== 'Path') return undefined
  return values.every(path => path.startsWith('/') && !/[{}]/.test(path))
    ? values.map(path => ({ path }))
    : undefined
}

class RuleReader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  any(depth: number): readonly Match[] | undefined {
    const found: Match[] = []
    for (;;) {
      const next = this.#all(depth)
      if (next === undefined || found.length + next.length > MAX_MATCHES) return undefined
      found.push(...next)
      if (!this.#skip('||')) return found
    }
  }

  #all(depth: number): readonly Match[] | undefined {
    let found: readonly Match[] | undefined = [{}]
    for (;;) {
      const next = this.#one(depth)
      found = next === undefined || found === undefined ? undefined : product(found, next)
      if (found === undefined || !this.#skip('&&')) return found
    }
  }

  #one(depth: number): readonly Match[] | undefined {
    const token = this.#tokens[this.#at]
    this.#at += 1
    if (Array.isArray(token)) return token as readonly Match[]
    if (token !== '(' || depth > MAX_DEPTH) return undefined
    const inner = this.any(depth + 1)
    return this.#skip(')') ? inner : undefined
  }

  #skip(token: Token): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }
}

/** Both hold. Two hosts, or two paths, at once are no route. */
function product(some: readonly Match[], others: readonly Match[]): readonly Match[] | undefined {
  if (some.length * others.length > MAX_MATCHES) return undefined
  const all: Match[] = []
  for (const one of some)
    for (const other of others) {
      const isClash =
        (one.host !== undefined && other.host !== undefined) ||
        (one.path !== undefined && other.path !== undefined)
      if (isClash) return undefined
      all.push({ ...one, ...other })
    }
  return all
}
