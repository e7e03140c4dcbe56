type Path = readonly PropertyKey[]

/** Names that people give to things: too short, or too plain, for a secret. */
const PLAIN = /^(?:[A-Za-z_-]{1,40}|[A-Za-z][\w-]{0,14})$/
const POOL_NAME = /^[\w-]{1,64}$/

/**
 * A path as people read it: `pools.web.backends[1].url`. A key that is none of a configuration may be a secret in the wrong
 * place, so its length stands for it.
 */
export function pathText(path: Path): string {
  return path
    .map((key, index) =>
      typeof key === 'number' ? `[${key}]` : `.${keyText(String(key), index === 1 && path[0] === 'pools')}`,
    )
    .join('')
    .replace(/^\./, '')
}

export function keyText(key: string, isPool = false): string {
  return PLAIN.test(key) || (isPool && POOL_NAME.test(key)) ? key : `(a key of ${key.length} characters)`
}
